// Calls the package thousands of times: memory and handles must stay flat.
//
// Run by `make soak-node`. Runs itself with a small young generation and few arenas of malloc's,
// which otherwise grow by ten megabytes now and then without a leak. Ends with 1 where resident memory grew by more than
// ALLOWED after the first calls, or where files, threads or handles of Node's stayed open. A number
// as first word is how many calls are made.

import { spawnSync } from 'node:child_process';
import { createReadStream, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

import { png, raw, remrembg, sleep, temporary, tiny } from './support.mjs';

const FLAGS = ['--expose-gc', '--min-semi-space-size=1', '--max-semi-space-size=1'];
if (!globalThis.gc || !process.execArgv.includes(FLAGS[1])) {
  const words = [...FLAGS, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, words, {
    stdio: 'inherit',
    env: { ...process.env, MALLOC_ARENA_MAX: '2' },
  });
  process.exit(status ?? 1);
}

const WARM = 1000;
const ALLOWED = 4 * 2 ** 20;
const [count = 10_000] = process.argv.slice(2).map(Number);

const remover = tiny();
const photo = await png(32, 32);
const path = join(temporary(), 'photo.png');
writeFileSync(path, photo);
const shared = new AbortController();

const sink = () => new Writable({ write: (_, __, done) => done() });
const signal = AbortSignal.abort();
const thrown = () => {
  throw new TypeError('mine');
};

/** A removal that has to fail. */
async function failing(removal) {
  const outcome = await removal.then(
    () => 'made',
    () => 'failed',
  );
  if (outcome === 'made') throw new Error('a bad call was not refused');
}

async function stopped(picture) {
  const controller = new AbortController();
  const removal = remover.remove(picture, { signal: controller.signal, onProgress: () => controller.abort() });
  setImmediate(() => controller.abort());
  await removal.catch(() => {});
}

async function many(jobs, most) {
  let given = 0;
  for await (const { error } of remover.removeMany([photo, Buffer.alloc(0), photo], { jobs })) {
    if (error && given !== 1) throw error;
    given += 1;
    if (given === most) break;
  }
}

async function destroyed() {
  const stream = remover.removeStream().resume();
  stream.on('error', () => {});
  stream.write(photo.subarray(0, 30));
  await sleep(1);
  stream.destroy();
}

/** Each kind of picture, of result and of failure. */
const kinds = [
  () => remover.remove(photo),
  () => remover.remove(path, { format: 'png', angle: 30, bg_color: 'teal' }),
  () => remover.remove(photo, { format: 'jpeg', mask: true, onProgress: () => {} }),
  () => remover.remove(photo, { format: 'bmp', w: 16 }),
  () => remover.remove(new Blob([photo]), { signal: shared.signal }),
  () => remover.remove(createReadStream(path)),
  () => remover.remove(Readable.from([photo])),
  () => remover.removeRaw(raw(32, 32, 4)),
  () => remover.removeRaw(photo, { smooth_mask: true, preset: 'best' }),
  () => remover.remove(photo, { mask_from: createReadStream(path), trimap: true }),
  () => remover.matte(photo),
  () => failing(remover.remove(createReadStream(path), { mask_from: 42 })),
  () => pipeline(createReadStream(path), remover.removeStream({ format: 'png' }), sink()),
  () => failing(pipeline(Readable.from([Buffer.from('none')]), remover.removeStream(), sink())),
  () => failing(remover.remove(photo, { w: 'abc', h: -1 })),
  () => failing(remover.remove(photo.subarray(0, 100))),
  () => failing(remover.remove(createReadStream(path), { quality: 0.5 })),
  () => failing(remover.remove('gone.png')),
  () => failing(remover.remove(42)),
  () => failing(remover.remove(photo, { signal })),
  () => failing(remover.remove(photo, { onProgress: thrown })),
  () => stopped(photo),
  () => stopped(new Readable({ read() {} })),
  () => destroyed(),
  () => many(2),
  () => many(3, 1),
  () => Promise.all([remover.remove(photo), remover.remove(photo), remover.remove(photo)]),
];

/** What is held now that nothing is at work. */
async function held() {
  for (let turn = 0; turn < 5; turn += 1) {
    globalThis.gc();
    await sleep(100);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout').length;
  const [files, threads] = ['fd', 'task'].map((name) => readdirSync(`/proc/self/${name}`).length);
  const most = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
  return { rss, heapUsed, external, most, files, threads, handles };
}

async function calls(from, to) {
  for (let turn = from; turn < to; turn += 1) await kinds[turn % kinds.length]();
}

const began = performance.now();
await calls(0, WARM);
const before = await held();
await calls(WARM, count);
const after = await held();

const grown = after.rss - before.rss;
const opened = ['files', 'threads', 'handles'].filter((name) => after[name] > before[name]);
const flat = grown <= ALLOWED && opened.length === 0;
console.log(
  `remrembg ${remrembg.version}, Node ${process.version}: ${count} calls in ${((performance.now() - began) / 1000).toFixed(0)} s`,
);
for (const name of ['rss', 'heapUsed', 'external', 'most']) {
  const change = (after[name] - before[name]) / 2 ** 10;
  console.log(`  ${name} ${(before[name] / 2 ** 20).toFixed(1)} MB ${change >= 0 ? '+' : ''}${change.toFixed(0)} kB`);
}
for (const name of ['files', 'threads', 'handles']) console.log(`  ${name} ${before[name]}, then ${after[name]}`);
console.log(flat ? 'flat' : `NOT FLAT: ${[grown > ALLOWED ? 'rss' : [], opened].flat().join(', ')}`);
process.exitCode = flat ? 0 : 1;
