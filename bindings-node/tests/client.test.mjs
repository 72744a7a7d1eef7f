// Side by side with the client whose place the package takes. Whatever is not the same stands in differences.test.mjs.

import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import { test } from 'node:test';

import { noise, temporary, written } from './help.mjs';
import { ours, theirs, png, same, events } from './client.mjs';

const OPTIONS = [
  {},
  { format: 'png' },
  { format: 'PNG' },
  { format: 'wEbP' },
  { format: '' },
  { format: null },
  { w: 12 },
  { w: '12' },
  { w: '', h: 9 },
  { w: 0, h: 0 },
  { w: 20, h: 20 },
  { w: 20, h: 20, exact_resize: true },
  { w: 9, h: 9, exact_resize: 1 },
  { w: 9, h: 9, exact_resize: 'yes' },
  { angle: 45 },
  { angle: 45, expand: false },
  { angle: -90, expand: 'on' },
  { bg_color: 'blue' },
  { bg_color: '' },
  { bg_color: '#FF573380', format: 'PNG' },
  { returnMask: true },
  { returnMask: 'false' },
  { returnBase64: true },
  { returnBase64: 'yes', returnMask: true, format: 'png' },
  { returnBase64: 0 },
];

const REFUSED = [
  { w: -5 },
  { w: 'abc' },
  { w: 10001 },
  { h: 8.5 },
  { h: Number.NaN },
  { angle: 500 },
  { angle: Number.NaN },
  { angle: '' },
  { angle: 'ninety', w: 'abc' },
  { bg_color: '#12345' },
  { bg_color: 5 },
  { bg_color: 'rgb(1,2,3)', h: -1, angle: '1e3' },
  { returnMask: true, bg_color: 'red' },
];

for (const options of OPTIONS) {
  test(`${JSON.stringify(options)} gives the same`, async () => {
    const made = await same({ inputImage: png, options });
    assert.ok(made.data?.length > 0 || made.base64Image, made.message);
  });
}

for (const options of REFUSED) {
  test(`${JSON.stringify(options)} is refused in the same words`, async () => {
    assert.match((await same({ inputImage: png, options })).message, /^❌ 400 \{"error":".*,"status":400\}$/);
  });
}

test('pictures are taken and refused alike', async () => {
  const folder = temporary();
  const base64 = png.toString('base64');
  const large = Buffer.alloc(52.6 * 2 ** 20);
  png.copy(large);
  const inputs = {
    path: written(folder, 'photo.png', png),
    'path in capitals': written(folder, 'PHOTO.JPEG', png),
    'path that is too large': written(folder, 'large.png', large),
    'path of another kind': written(folder, 'photo.exe', png),
    'path without a suffix': written(folder, 'photo', png),
    'path of nothing': written(folder, 'empty.png', ''),
    'path of text': written(folder, 'text.png', 'no picture'),
    'path that does not exist': join(folder, 'none.png'),
    'no path': '',
    'path with NUL': 'a\0b.png',
    folder,
    bytes: png,
    'no bytes': Buffer.alloc(0),
    'bytes of text': Buffer.from('no picture'),
    'bytes that break off': png.subarray(0, -20),
    base64: { base64 },
    'data URL': { base64: `data:image/jpeg;base64,${base64}` },
    'no base64': { base64: '' },
    'base64 of nothing': { base64: '!!!!' },
    undefined: undefined,
    number: 5,
    object: {},
    array: [],
    function: () => {},
  };
  for (const [name, inputImage] of Object.entries(inputs)) await same({ inputImage }, name);
  for (const options of [null, undefined, false, 5]) await same({ inputImage: png, options }, `options ${options}`);
  // A file that cannot be read is told of before anything that is wrong beside it.
  await same({ inputImage: join(folder, 'none.png'), options: { w: 'abc' } });
  await same({ inputImage: written(folder, 'empty.webp', ''), options: { w: 'abc', bg_color: '#' } });
});

test('a missing key is told of alike, before all else', async () => {
  for (const key of [undefined, '', null, 0]) {
    const { message } = await same({ apiKey: key, inputImage: null, options: { format: 5 } });
    assert.match(message, /^ ⚠️⚠️⚠️ WARNING/);
  }
});

test('files have the same name and the same mode', async () => {
  const { file, mode } = await same({ inputImage: png, options: { format: 'Png' } });
  assert.equal(basename(file), `rembg--${process.pid}-RANDOM-.Png`);
  assert.equal(mode & 0o777, 0o600);
});

test('progress is told of with the same fields, and to the end', async () => {
  const large = written(temporary(), 'large.png', await noise(300, 300).png().toBuffer());
  for (const input of [png, large]) {
    const [client, package_] = [await events(theirs.rembg, input), await events(ours.rembg, input)];
    for (const way of ['upload', 'download']) {
      for (const event of [...client[way], ...package_[way]]) {
        assert.deepEqual(Object.keys(event).sort(), Object.keys(client[way][0]).sort());
        assert.equal(event[way], true);
        assert.equal(event.progress, event.loaded / event.total);
        assert.deepEqual(event.event, { lengthComputable: true, total: event.total, loaded: event.loaded });
      }
      for (const told of [client[way], package_[way]]) {
        assert.equal(told[told.length - 1].loaded, told[told.length - 1].total);
        assert.equal(
          told.reduce((sum, { bytes }) => sum + bytes, 0),
          told[told.length - 1].total,
        );
      }
    }
    assert.equal(package_.download[0].total, client.download[0].total);
  }
});
