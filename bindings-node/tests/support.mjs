// What the tests of the library share, beside help.mjs.

import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

import {
  imported,
  NO_PHOTO,
  rejected,
  required as require,
  ROOT,
  run as runWords,
  sharp,
  temporary,
  written,
} from './help.mjs';
import { tinySettings } from './tiny.mjs';

export { rejected, require, ROOT, sharp, temporary, written };
export const remrembg = await imported('remrembg');

export const TINY = tinySettings(temporary());

/** A remover that is done at once: to its model red is subject. */
export function tiny(settings = {}) {
  return new remrembg.Remover({ ...TINY, ...settings });
}

/** A real photo, and why a test that needs it is skipped. */
export const PHOTO = join(ROOT, 'demo/photo.png');
export const withPhoto = { skip: NO_PHOTO };

let large;
/** The photo as a JPEG of 12 megapixels. */
export function largePhoto() {
  large ??= sharp(PHOTO).resize(4000, 3000, { fit: 'fill' }).jpeg({ quality: 90 }).toBuffer();
  return large;
}

/** Pixels that are red from the left and grey from the top, and differ from their neighbours. */
export function raw(width, height, channels = 3) {
  const data = Buffer.alloc(width * height * channels);
  for (let at = 0; at < data.length; at += 1) {
    const [pixel, channel] = [Math.floor(at / channels), at % channels];
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const alpha = channels % 2 === 0 && channel === channels - 1;
    data[at] = alpha ? 255 - ((x + y) % 64) : (channel === 0 ? x * 7 : y * 11 + channel * 3) % 256;
  }
  return { data, width, height, channels };
}

/** The bytes of a PNG file of such pixels. */
export async function png(width = 24, height = 16, channels = 3) {
  return sharp(raw(width, height, channels).data, { raw: { width, height, channels } })
    .png()
    .toBuffer();
}

/** Red at the left, black at the right: to the tiny model the left is subject. */
export function halves(width, height) {
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    if (pixel % width < (width + 1) / 2) data[pixel * 3] = 255;
  }
  return { data, width, height, channels: 3 };
}

/** Pixels of a file as RGBA. */
export async function decoded(file) {
  if (file[0] === 0x42 && file[1] === 0x4d) return bmp(file);
  const { data, info } = await sharp(file)
    .ensureAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Of the kinds of BMP that the package writes: 8 bits with a palette of greys, 24 and 32 bits. */
function bmp(file) {
  const [start, width, signed, bits] = [10, 18, 22, 28].map((at) => file.readInt32LE(at));
  const [height, depth] = [Math.abs(signed), bits & 0xffff];
  const stride = Math.ceil((width * depth) / 32) * 4;
  const data = Buffer.alloc(width * height * 4, 255);
  for (let y = 0; y < height; y += 1) {
    const row = start + (signed > 0 ? height - 1 - y : y) * stride;
    for (let x = 0; x < width; x += 1) {
      const from = row + (x * depth) / 8;
      const to = (y * width + x) * 4;
      if (depth === 8) data.fill(file[from], to, to + 3);
      else [data[to + 2], data[to + 1], data[to]] = file.subarray(from, from + 3);
      if (depth === 32) data[to + 3] = file[from + 3];
    }
  }
  return { data, width, height };
}

/** What kind of file it is, by its first bytes. */
export function format(file) {
  const kinds = { ÿØÿ: 'jpeg', '\x89PNG': 'png', BM: 'bmp', RIFF: 'webp' };
  const start = file.subarray(0, 4).toString('latin1');
  return Object.entries(kinds).find(([signature]) => start.startsWith(signature))?.[1];
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A promise, and who settles it. */
export function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** A turn of the event loop. */
export const turn = () => new Promise(setImmediate);

/** A remover with one place, and a removal that keeps it until it is let go. */
export function busy(picture) {
  const remover = tiny({ in_flight: 1 });
  const [begun, go] = [deferred(), deferred()];
  const slow = new Blob([picture]);
  const slice = slow.slice.bind(slow);
  slow.slice = (...range) => ({
    arrayBuffer: async () => {
      begun.resolve();
      await go.promise;
      return slice(...range).arrayBuffer();
    },
  });
  return { remover, first: remover.remove(slow, { format: 'png' }), begun: begun.promise, letGo: go.resolve };
}

/** After so long nothing comes any more, however busy the machine is. */
const HANGS = 60_000;

/** What becomes of a promise; fails where it hangs. */
export function within(promise, what = 'it') {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} is not settled after ${HANGS} ms`)), HANGS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const UNSET = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^(NODE|REMREMBG|ORT)_/.test(name))
    .map((name) => [name, undefined]),
);

/** Runs a program to its end, for a user who has set nothing: how it ended and what it said. */
export async function run(program, words, { env, timeout = 120_000, ...options } = {}) {
  const seconds = timeout / 1000;
  const { status, ...told } = await runWords([program, ...words], { ...options, env: { ...UNSET, ...env }, seconds });
  return { code: status, ...told };
}

/** Runs code of an ES module, or of a script, in a folder. */
export function node(code, { type = 'module', flags = [], words = [], program = process.execPath, ...options } = {}) {
  return run(program, [...flags, `--input-type=${type}`, '--eval', code, '--', ...words], options);
}

/** A project with a copy of the package, and with links to other packages. */
export function project(packages = []) {
  const folder = temporary();
  const installed = realpathSync(join(dirname(require.resolve('remrembg')), '..'));
  const copy = join(folder, 'node_modules/remrembg');
  mkdirSync(copy, { recursive: true });
  for (const name of ['dist', 'package.json', 'index.mjs', 'index.d.ts', 'index.d.mts']) {
    if (existsSync(join(installed, name))) cpSync(join(installed, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(installed, 'prebuilds'), join(copy, 'prebuilds'));
  for (const name of packages) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(process.cwd(), 'node_modules', name), link);
  }
  return folder;
}
