// `rembg` in the place of rembg.js: a disk that is full, and how the package is loaded.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { CLIENT, folderOf, noise, rejected, required, run, sharp, temporary, written } from './help.mjs';
import { rembg, apiKey, png, PREFIX, ownTemporaryFolder, fast } from './rembg.mjs';

// A disk that is full.

const ONTO_THE_DISK = `
  const { noise } = process.env;
  require('remrembg').rembg({ apiKey: 'any', inputImage: noise, options: { format: 'bmp' } }).then(
    () => console.log('made'),
    ({ message, code }) => console.log(JSON.stringify({ message, code })),
  ).then(() => {
    const left = require('fs').readdirSync(require('os').tmpdir());
    console.log(JSON.stringify(left.filter((name) => name.startsWith('rembg-'))));
  });`;

async function ontoTheDisk(t, words) {
  const TMPDIR = join(temporary(), 'disk');
  mkdirSync(TMPDIR);
  const picture = written(temporary(), 'noise.png', await noise(200, 200).png().toBuffer());
  // In noise a subject may be found or not, of which a warning would tell.
  const env = { TMPDIR, noise: picture, NODE: process.execPath, CODE: ONTO_THE_DISK, NODE_NO_WARNINGS: '1' };
  return run(['sh', '-c', `${words} && exec "$NODE" -e "$CODE"`], { env });
}

test('a full disk is told of, and no file is left', async (t) => {
  const namespace = await run(['unshare', '-rm', 'sh', '-c', 'mount -t tmpfs none /mnt']).catch(() => ({ status: 1 }));
  if (namespace.status !== 0) {
    t.skip('SKIPPED: no small disk can be made here (unshare -rm, mount -t tmpfs)');
    return;
  }
  const mount = 'mount -t tmpfs -o size=64k none "$TMPDIR"';
  const { stdout, stderr } = await ontoTheDisk(
    t,
    `[ -n "$INSIDE" ] || INSIDE=1 exec unshare -rm sh -c '${mount} && exec "$NODE" -e "$CODE"'`,
  );
  assert.equal(stderr, '');
  const [told, left] = stdout.trim().split('\n');
  assert.deepEqual(JSON.parse(told), {
    message: '❌ Request failed ENOSPC: no space left on device, write',
    code: 'ENOSPC',
  });
  assert.equal(left, '[]');
});

test('a limit on the size of files is told of, and no file is left', async (t) => {
  const { stdout, stderr } = await ontoTheDisk(t, 'ulimit -f 64');
  assert.equal(stderr, '');
  const [told, left] = stdout.trim().split('\n');
  assert.deepEqual(JSON.parse(told), { message: '❌ Request failed EFBIG: file too large, write', code: 'EFBIG' });
  assert.equal(left, '[]');
});

test('a folder for temporary files that is not there is told of', async (t) => {
  const folder = ownTemporaryFolder(t);
  rmSync(folder, { recursive: true });
  const error = await rejected(rembg({ apiKey, inputImage: png }));
  assert.match(error.message, /^❌ Request failed ENOENT: no such file or directory, /);
  assert.equal(error.code, 'ENOENT');
});

// How it is loaded.

const LOADED = `
  const kinds = {};
  const tell = async () => {
    for (const [name, rembg] of Object.entries(found)) {
      const options = { returnBase64: true, preset: 'fast' };
      const { base64Image } = await rembg({ apiKey: 'any', inputImage: picture, options });
      kinds[name] = base64Image;
    }
    console.log(JSON.stringify(kinds));
  };
  const picture = Buffer.from('${png.toString('base64')}', 'base64');
  tell();`;

async function expectLoaded(words, names, options) {
  const { stdout, stderr } = await run([process.execPath, ...words], options);
  assert.equal(stderr, '');
  const base64Image = PREFIX + fast.toString('base64');
  assert.deepEqual(JSON.parse(stdout), Object.fromEntries(names.map((name) => [name, base64Image])));
}

test('it is required as the client is', async () => {
  const code = `
    const module_ = require('remrembg');
    const { rembg } = module_;
    const { rembg: deep, default: deepest } = require('remrembg/dist/index.js');
    const found = { rembg, default: module_.default, 'default.rembg': module_.default.rembg, deep, deepest };`;
  await expectLoaded(['-e', code + LOADED], ['rembg', 'default', 'default.rembg', 'deep', 'deepest']);
});

test('it is imported as the client is', async () => {
  const code = `
    import itself, { rembg } from 'remrembg';
    import * as all from 'remrembg';
    import deep, { rembg as deepest } from 'remrembg/dist/index.js';
    const found = {
      rembg, itself, 'itself.rembg': itself.rembg, 'itself.default': itself.default, all: all.rembg,
      'deep.rembg': deep.rembg, 'deep.default': deep.default, deepest,
    };`;
  const names = ['rembg', 'itself', 'itself.rembg', 'itself.default', 'all', 'deep.rembg', 'deep.default', 'deepest'];
  await expectLoaded(['--input-type=module', '-e', code + LOADED], names);
});

test('import and require give one and the same', async () => {
  const code = `
    import { createRequire } from 'node:module';
    import itself, { rembg } from 'remrembg';
    import { rembg as deep } from 'remrembg/dist/index.js';
    const required = createRequire(process.cwd() + '/x.js')('remrembg');
    console.log(rembg === required.rembg, rembg === deep, required.default === itself);`;
  const { stdout, stderr } = await run([process.execPath, '--input-type=module', '-e', code]);
  assert.deepEqual([stdout, stderr], ['true true true\n', '']);
});

test('whatever of it the client lets load can be loaded', async () => {
  for (const path of ['', '/dist/index.js', '/dist/index', '/package.json']) {
    assert.ok(required.resolve(`@remove-background-ai/rembg.js${path}`), path);
    assert.ok(required.resolve(`remrembg${path}`), path);
  }
});

const { PACKAGE } = process.env;

test("under the client's name its own program runs", { skip: !PACKAGE && 'SKIPPED: needs PACKAGE' }, async () => {
  const folder = temporary();
  const npm = ['npm', 'install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--loglevel=error'];
  written(folder, 'package.json', '{"private":true}');
  const installed = await run([...npm, `@remove-background-ai/rembg.js@file:${PACKAGE}`], { cwd: folder });
  assert.equal(installed.status, 0, installed.stderr);
  symlinkSync(folderOf('dotenv'), join(folder, 'node_modules/dotenv'));

  const [, program] = /```typescript\n(\/\/ script\.mjs file\n.*?)```/s.exec(
    readFileSync(join(CLIENT, 'README.md'), 'utf8'),
  );
  written(folder, 'script.mjs', program);
  written(folder, '.env', 'API_KEY=YOUR_API_KEY_HERE\n');
  written(folder, 'input.png', png);
  const TMPDIR = temporary();
  const { status, stdout, stderr } = await run([process.execPath, 'script.mjs'], { cwd: folder, env: { TMPDIR } });
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /upload: true\n(?:.|\n)*download: true\n(?:.|\n)*✅🎉 background removed and saved under path=/);
  const path = stdout.trim().split('path=').pop();
  assert.equal(dirname(path), TMPDIR);
  const { format, width } = await sharp(readFileSync(path)).metadata();
  assert.deepEqual([format, width], ['webp', 48]);
});
