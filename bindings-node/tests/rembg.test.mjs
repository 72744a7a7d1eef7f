// `rembg` in the place of rembg.js, point by point: what it takes and what it gives.

import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';

import {
  ball,
  farthest,
  NO_PHOTO,
  noise,
  opened,
  photo,
  rejected,
  ROOT,
  run,
  runNode,
  sharp,
  temporary,
  written,
} from './help.mjs';
import {
  rembg,
  apiKey,
  NO_KEY,
  NO_PICTURE,
  png,
  PREFIX,
  made,
  results,
  ownTemporaryFolder,
  expected,
  FAST,
  fast,
} from './rembg.mjs';

// The key.

for (const key of ['', undefined, null, 0]) {
  test(`without a key (${JSON.stringify(key)}) nothing else is looked at`, async () => {
    for (const more of [{}, { inputImage: null }, { inputImage: '/none.png', options: { w: 'abc' } }]) {
      const error = await rejected(rembg({ apiKey: key, ...more }));
      assert.equal(error.message, NO_KEY);
      assert.equal(Object.getPrototypeOf(error), Error.prototype);
    }
  });
}

test(
  'any key will do, and nobody is connected to',
  { skip: process.platform !== 'linux' && 'preloads a library as Linux does' },
  async () => {
    const folder = temporary();
    const [library, notes] = [join(folder, 'connections.so'), join(folder, 'connections')];
    const source = join(ROOT, 'testdata/connections.c');
    const words = [...(process.env.CC ?? 'cc').split(' '), '-shared', '-fPIC', source, '-ldl', '-o', library];
    assert.equal((await run(words)).status, 0);
    const watched = async (code) => {
      rmSync(notes, { force: true });
      const ran = await runNode(code, { env: { LD_PRELOAD: library, CONNECTIONS: notes } });
      assert.deepEqual([ran.status, ran.stderr], [0, '']);
      return { ...ran, connections: existsSync(notes) ? readFileSync(notes, 'utf8') : '' };
    };
    const connects = await watched(`require('net').connect(1, '127.0.0.1').on('error', () => {});`);
    assert.equal(connects.connections, 'connect\n');
    const { stdout, connections } = await watched(`
    const { rembg } = require('remrembg');
    const inputImage = Buffer.from('${png.toString('base64')}', 'base64');
    rembg({ apiKey: 'not\\na key', inputImage, options: { returnBase64: true } })
      .then(({ base64Image }) => process.stdout.write(base64Image));`);
    assert.equal(connections, '');
    assert.equal(stdout, PREFIX + expected.toString('base64'));
  },
);

// What goes in.

test('every way to hand over a picture gives the same', async () => {
  const folder = temporary();
  const base64 = png.toString('base64');
  const within = Buffer.concat([Buffer.from('....'), png]).subarray(4);
  const ways = {
    path: written(folder, 'photo.png', png),
    'path whose suffix is another kind of picture': written(folder, 'photo.JPG', png),
    Buffer: png,
    'Buffer within a larger one': within,
    Uint8Array: new Uint8Array(png),
    Blob: new Blob([png]),
    'Blob that says otherwise': new Blob([png], { type: 'text/plain' }),
    base64: { base64 },
    'data URL': { base64: `data:image/png;base64,${base64}` },
    'data URL that says otherwise': { base64: `data:text/plain;base64,${base64}` },
    'base64 on lines of its own': { base64: base64.replace(/.{76}/g, '$&\n') },
  };
  for (const [way, inputImage] of Object.entries(ways)) {
    assert.deepEqual(await made(inputImage, FAST), fast, way);
  }
});

test('every format of a picture is read', async () => {
  const pixels = await opened(await made(png, { format: 'png', ...FAST }));
  for (const format of ['webp', 'png', 'jpeg']) {
    const data = await ball(24).toFormat(format, { quality: 100 }).toBuffer();
    const { info } = await opened(await made(data, { format: 'png', ...FAST }));
    assert.deepEqual([info.width, info.height], [pixels.info.width, pixels.info.height], format);
  }
  const bmp = await made(png, { format: 'bmp', bg_color: 'white', ...FAST });
  assert.equal((await opened(await made(bmp, { format: 'png', ...FAST }))).info.width, 48);
});

for (const [name, value] of Object.entries({
  null: null,
  undefined: undefined,
  'a number': 5,
  'a boolean': true,
  'an object': {},
  'an array': ['photo.png'],
  'a function': () => {},
  'a URL': new URL('file:///photo.png'),
  'an ArrayBuffer': new ArrayBuffer(8),
})) {
  test(`${name} is not a picture`, async () => {
    const error = await rejected(rembg({ apiKey, inputImage: value }));
    assert.equal(error.message, NO_PICTURE);
    assert.equal(Object.getPrototypeOf(error), Error.prototype);
  });
}

test('a path that does not exist is told as the client does', async () => {
  for (const path of ['/no/such/photo.png', './none.png', '']) {
    const error = await rejected(rembg({ apiKey, inputImage: path }));
    assert.equal(error.message, `❌ ENOENT: no such file or directory, open '${path}'`);
    assert.equal(error.code, 'ENOENT');
  }
});

test('a folder is no picture', async () => {
  const error = await rejected(rembg({ apiKey, inputImage: temporary() }));
  assert.equal(error.message, '❌ EISDIR: illegal operation on a directory, read');
  assert.equal(error.code, 'EISDIR');
});

test('a pipe is not waited for', { skip: process.platform === 'win32' }, async () => {
  const path = join(temporary(), 'pipe.png');
  await run(['mkfifo', path]);
  const error = await rejected(rembg({ apiKey, inputImage: path }));
  assert.equal(error.message, `❌ ${path} is not a regular file`);
});

test('hundreds at once do not run out of open files', async () => {
  const path = written(temporary(), 'photo.png', png);
  const code = `
    const { rembg } = require('remrembg');
    const mask_from = require('node:fs').readFileSync(process.env.PICTURE);
    // The model runs for three of them: its time is not the point.
    const one = (_, number) => rembg({ apiKey: 'any', inputImage: process.env.PICTURE,
      options: { returnBase64: true, ...(number % 100 && { mask_from }) } });
    Promise.all(Array.from({ length: 300 }, one)).then(({ length }) => console.log(length));`;
  const words = ['sh', '-c', 'ulimit -n 100; exec "$0" -e "$1"', process.execPath, code];
  const { stdout, stderr } = await run(words, { env: { PICTURE: path } });
  assert.deepEqual({ stdout, stderr }, { stdout: '300\n', stderr: '' });
});

test('a file that may not be read is told', async (t) => {
  const path = written(temporary(), 'photo.png', png);
  const code = `
    if (process.getuid() === 0) process.setuid(65534);
    require('remrembg').rembg({ apiKey: 'any', inputImage: ${JSON.stringify(path)} })
      .catch((error) => console.log(error.message));`;
  chmodSync(path, 0o000);
  const { stdout, stderr } = await runNode(code);
  if (/Cannot find module|EACCES.*(lstat|scandir)/.test(stderr)) {
    t.skip('SKIPPED: nobody but root can read the package');
    return;
  }
  assert.equal(stdout, `❌ EACCES: permission denied, open '${path}'\n`, stderr);
});

test('a file that changes while it is read is refused', async () => {
  const path = written(temporary(), 'growing.png', await noise(300, 300).png().toBuffer());
  let told = 0;
  const onUploadProgress = () => {
    if (told++ === 0) appendFileSync(path, 'more');
  };
  const error = await rejected(rembg({ apiKey, inputImage: path, onUploadProgress }));
  assert.equal(error.message, `❌ ${path} changed while it was read`);
});

// Formats, and the file.

for (const [format, kind, mimeType] of [
  [undefined, 'webp', 'image/webp'],
  [null, 'webp', 'image/webp'],
  ['', 'webp', 'image/webp'],
  ['webp', 'webp', 'image/webp'],
  ['WebP', 'webp', 'image/webp'],
  ['png', 'png', 'image/png'],
  ['PNG', 'png', 'image/png'],
  ['jpeg', 'jpeg', 'image/jpeg'],
  ['jpg', 'jpeg', 'image/jpeg'],
  ['JPG', 'jpeg', 'image/jpeg'],
  ['bmp', 'bmp', 'image/bmp'],
  ['Bmp', 'bmp', 'image/bmp'],
]) {
  test(`format ${JSON.stringify(format)} gives ${kind}`, async (t) => {
    const folder = ownTemporaryFolder(t);
    const { outputImagePath, cleanup, ...more } = await rembg({
      apiKey,
      inputImage: png,
      options: { format, mask_from: png },
    });
    assert.deepEqual(more, {});
    assert.equal(dirname(outputImagePath), folder);
    const suffix = format || 'WEBP';
    const name = new RegExp(`^rembg--${process.pid}-[0-9A-Za-z]{12}-\\.${suffix}$`);
    assert.match(basename(outputImagePath), name);
    assert.equal(statSync(outputImagePath).mode & 0o777, 0o600);
    const data = readFileSync(outputImagePath);
    await cleanup();
    assert.deepEqual(results(folder), []);
    const told = await rembg({ apiKey, inputImage: png, options: { format, mask_from: png, returnBase64: true } });
    assert.deepEqual(told, { base64Image: PREFIX + data.toString('base64'), mimeType });
    if (kind === 'bmp') {
      assert.equal(data.toString('latin1', 0, 2), 'BM');
      return;
    }
    const { width, height, format: found } = await sharp(data).metadata();
    assert.deepEqual([found, width, height], [kind, 48, 24]);
  });
}

test('other formats are refused, and make no file', async (t) => {
  const folder = ownTemporaryFolder(t);
  for (const format of ['gif', 'GIF', '../x', 'tiff', '.png']) {
    const error = await rejected(rembg({ apiKey, inputImage: png, options: { format } }));
    const message = `Invalid format '${format}'. Allowed formats: PNG, JPEG, WEBP, BMP`;
    assert.equal(error.message, `❌ 400 {"error":"${message}","status":400}`);
  }
  assert.deepEqual(results(folder), []);
});

test('without a word the file is in the folder for temporary files', async () => {
  const { outputImagePath, cleanup } = await rembg({ apiKey, inputImage: png });
  assert.equal(dirname(outputImagePath), tmpdir());
  assert.deepEqual(readFileSync(outputImagePath), expected);
  await cleanup();
  assert.equal(existsSync(outputImagePath), false);
});

test('nothing but the result is put on the disk', async () => {
  const [TMPDIR, HOME] = [temporary(), temporary()];
  const code = `
    const inputImage = Buffer.from('${png.toString('base64')}', 'base64');
    require('remrembg').rembg({ apiKey: 'any', inputImage }).then(({ cleanup }) => cleanup());`;
  const { status } = await runNode(code, {
    env: { TMPDIR, HOME, XDG_CACHE_HOME: undefined, XDG_CONFIG_HOME: undefined },
  });
  assert.equal(status, 0);
  assert.deepEqual([readdirSync(TMPDIR), readdirSync(HOME)], [[], []], 'as an engine that reports to its maker would');
});

test('cleaning up twice, or what is gone already, is harmless', async () => {
  const { outputImagePath, cleanup } = await rembg({ apiKey, inputImage: png });
  assert.equal(await cleanup(), undefined);
  assert.equal(existsSync(outputImagePath), false);
  assert.equal(await cleanup(), undefined);
  const other = await rembg({ apiKey, inputImage: png });
  rmSync(other.outputImagePath);
  await Promise.all([other.cleanup(), other.cleanup()]);
});

test('the subject is kept and the rest is clear', async () => {
  const { data, info } = await opened(await made(png, { format: 'png' }));
  assert.deepEqual([info.width, info.height, info.channels], [48, 24, 4]);
  const at = (x, y) => [...data.subarray(4 * (y * 48 + x), 4 * (y * 48 + x) + 4)];
  assert.equal(at(1, 1)[3], 0, 'a corner is clear');
  assert.ok(at(24, 12)[3] > 250, 'the middle is opaque');
  assert.ok(farthest(at(24, 12).slice(0, 3), [0xe8, 0x73, 0x1c]) <= 3, `and has its colour: ${at(24, 12)}`);
});

test('the mask is grey, white where the subject is', async () => {
  for (const returnMask of [true, 'true', 1]) {
    const mask = await made(png, { returnMask, format: 'png' });
    const { channels, space } = await sharp(mask).metadata();
    assert.deepEqual([channels, space], [1, 'b-w']);
    const { data, info } = await sharp(mask).raw().toBuffer({ resolveWithObject: true });
    assert.equal(data[0], 0);
    assert.ok(data[info.channels * (12 * 48 + 24)] > 250);
  }
  assert.deepEqual(await made(png, { returnMask: false }), expected);
  assert.deepEqual(await made(png, { returnMask: 'false' }), expected);
});

test('sizes, turns and backgrounds are those of the hosted API', async () => {
  const size = async (options) => {
    // With a mask that is brought no model runs: sizes alone count here.
    const { width, height } = await sharp(await made(png, { ...options, mask_from: png })).metadata();
    return [width, height];
  };
  assert.deepEqual(await size({ w: 0, h: 0 }), [48, 24]);
  assert.deepEqual(await size({ w: 24 }), [24, 12]);
  assert.deepEqual(await size({ h: ' 48 ' }), [96, 48]);
  assert.deepEqual(await size({ w: 30, h: 30 }), [30, 15]);
  assert.deepEqual(await size({ w: 30, h: 30, exact_resize: true }), [30, 30]);
  assert.deepEqual(await size({ angle: 90 }), [24, 48]);
  assert.deepEqual(await size({ angle: '9e1', expand: false }), [48, 24]);
  const blue = await opened(await made(png, { bg_color: 'blue', format: 'png' }));
  assert.deepEqual([...blue.data.subarray(0, 3)], [0, 0, 255]);
});

test('a real photo is cut out', { skip: NO_PHOTO }, async () => {
  const { data, info } = await opened(await made(await photo(160), { format: 'png' }));
  const alpha = data.filter((_, at) => at % 4 === 3);
  assert.equal(info.width, 160);
  assert.ok(alpha.filter((value) => value > 250).length > alpha.length / 4, 'there is a subject');
  assert.ok(alpha.filter((value) => value < 5).length > alpha.length / 8, 'and a background');
});
