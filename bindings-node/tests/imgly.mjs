// What the tests of imgly's functions share: a picture, its results, and a server of pictures.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after } from 'node:test';

import { ball, required, sharp } from './help.mjs';

export const { applySegmentationMask, RembgError, removeBackground, removeForeground, segmentForeground } =
  required('remrembg');

export const png = await ball(24).png().toBuffer();
export const [WIDTH, HEIGHT] = [48, 24];
export const PIXELS = WIDTH * HEIGHT;

export async function bytes(blob) {
  assert.ok(blob instanceof Blob);
  return Buffer.from(await blob.arrayBuffer());
}

/** Pixels of a picture, as RGBA. */
export async function rgba(data) {
  return (await sharp(data).ensureAlpha().raw().toBuffer({ resolveWithObject: true })).data;
}

/** Pixels of a mask, one byte each. */
export async function grey(data) {
  return sharp(data).extractChannel(0).raw().toBuffer();
}

export const cutout = await bytes(await removeBackground(png));
export const mask = await bytes(await segmentForeground(png));
export const matte = await grey(mask);

/** Sends pictures: `/photo.png` and, never whole, `/endless.png`. */
const server = createServer(({ url, headers }, response) => {
  if (url === '/photo.png') response.end(png);
  else if (url === '/key.png') response.writeHead(headers.key === 'open' ? 200 : 403).end(png);
  else if (url === '/endless.png') response.write(png.subarray(0, 100));
  else if (url === '/broken.png')
    response.writeHead(200, { 'content-length': 10 ** 6 }).write(png, () => response.destroy());
  else response.writeHead(404).end('nothing here');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
export const base = `http://127.0.0.1:${server.address().port}`;
after(() => {
  server.close();
  server.closeAllConnections();
});
