// What the tests share. The package is looked up from the current folder, where it is installed as users have it.

import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** `require`, as a program in the current folder has it. */
export const required = createRequire(join(process.cwd(), 'x.js'));

/** What `import` of this module gives. */
export async function imported(name) {
  return import(pathToFileURL(required.resolve(name)));
}

export const sharp = required('sharp');

/** The folder of an installed package. */
export function folderOf(name) {
  return dirname(required.resolve(`${name}/package.json`));
}

/** The client whose place the package takes. */
export const CLIENT = dirname(dirname(required.resolve('@remove-background-ai/rembg.js')));

const folders = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is gone after the tests. */
export function temporary() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'remrembg-test-')));
  // Else nobody but root, whom a test may have become, can write there.
  chmodSync(folder, 0o777);
  folders.push(folder);
  return folder;
}

/** A file in a folder: its path. */
export function written(folder, name, data) {
  const path = join(folder, name);
  writeFileSync(path, data);
  return path;
}

/** A real photo, made smaller, as PNG; `undefined` where set-up has not put it. */
export async function photo(width) {
  const path = join(ROOT, 'demo/photo.png');
  return existsSync(path) ? sharp(path).resize(width).png().toBuffer() : undefined;
}

/** For `skip` of a test that needs the photo: `false`, or why it is not run. */
export const NO_PHOTO = existsSync(join(ROOT, 'demo/photo.png'))
  ? false
  : 'SKIPPED: needs demo/photo.png, run `make setup`';

/**
 * A picture with a subject: an orange ellipse on grey, in a picture twice as wide as high. As a pipeline of sharp. It is so large
 * that the model has no closer view of it.
 */
export function ball(height = 40) {
  const [width, middle] = [2 * height, height / 2];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect width="100%" height="100%" fill="#9aa4ad"/>
    <ellipse cx="${height}" cy="${middle}" rx="${0.7 * height}" ry="${0.4 * height}" fill="#e8731c"/></svg>`;
  return sharp(Buffer.from(svg)).removeAlpha();
}

/** A picture of noise, which no format makes small. As a pipeline of sharp. */
export function noise(width, height) {
  const data = Buffer.alloc(width * height * 3);
  for (let at = 0, state = 1; at < data.length; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    data[at] = state >>> 24;
  }
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** Pixels of an encoded picture: `{ data, info }`, with as many channels as it has. */
export function opened(data) {
  return sharp(data).raw().toBuffer({ resolveWithObject: true });
}

/** The greatest difference of two rows of bytes. */
export function farthest(one, other) {
  if (one.length !== other.length) return Number.POSITIVE_INFINITY;
  return one.reduce((most, value, at) => Math.max(most, Math.abs(value - other[at])), 0);
}

/** Every `step`th byte, from `first` on: one channel. */
export function channel(data, step, first) {
  return Uint8Array.from({ length: data.length / step }, (_, at) => data[at * step + first]);
}

/** What a promise rejects with. */
export async function rejected(promise) {
  const [{ status, reason, value }] = await Promise.allSettled([promise]);
  if (status === 'fulfilled') throw new Error(`must be refused, and gave ${JSON.stringify(value)}`);
  return reason;
}

/** The files of the process that are open, where the system tells. */
export function openFiles() {
  return readdirSync('/proc/self/fd').length;
}

/** A program run to its end: `{ status, signal, stdout, stderr }`. */
export function run(words, { cwd = process.cwd(), env = {}, seconds = 120 } = {}) {
  const [program, ...others] = words;
  const environment = { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined, ...env };
  return new Promise((resolve, reject) => {
    const child = spawn(program, others, {
      cwd,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: seconds * 1000,
    });
    const told = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        told[name] += text;
      });
    }
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, ...told }));
  });
}

/** The package's own `remrembg serve` with these flags, until the tests are over at the latest, and where it answers. */
export async function serving(...flags) {
  const program = join(folderOf('remrembg'), 'dist/cli.js');
  const words = ['serve', '--listen', '127.0.0.1:0', '--log', 'error', '--header-timeout', '3', ...flags];
  const child = spawn(process.execPath, [program, ...words], {
    env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  after(() => child.kill('SIGKILL'));
  child.stdout.setEncoding('utf8');
  for await (const text of child.stdout) {
    const [, url] = /^Listening on (\S+)$/m.exec(text) ?? [];
    if (url) return { child, url };
  }
  throw new Error('the service ended before it listened');
}

/** Where it answers. */
export async function serve(...flags) {
  return (await serving(...flags)).url;
}

/** A program of Node's, given as text, in the current folder. */
export function runNode(code, options) {
  return run([process.execPath, '-e', code], options);
}
