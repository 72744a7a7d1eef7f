// Threads, and ends: of a worker or of the process, with removals at work.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import {
  halves,
  largePhoto,
  node,
  PHOTO,
  png,
  remrembg,
  require,
  sharp,
  TINY,
  temporary,
  tiny,
  withPhoto,
} from './support.mjs';

/** How often each end is tried; every stage comes twice. A soak tries more. */
const TURNS = Number(process.env.TURNS ?? 8);
const onnxruntime = (() => {
  try {
    return require.resolve('onnxruntime-node/package.json');
  } catch {
    return undefined;
  }
})();
/** The engines inside, and that of `onnxruntime-node`. */
const ENGINES = onnxruntime ? ['native', 'rten', 'onnxruntime'] : ['native', 'rten'];

/** A worker from source text, in the current folder. */
const worker = (code) => `new Worker(${JSON.stringify(code)}, { eval: true })`;
const IMPORTS = `
  const { Worker } = require('node:worker_threads');
  const { once } = require('node:events');
  const { setTimeout: sleep } = require('node:timers/promises');
  const { Remover, remove } = require('remrembg');`;

/** It ended as it should: no signal, nothing said that was not expected. */
async function ends(code, { code: expected = 0, stdout, stderr = /^$/, words = [] } = {}) {
  const got = await node(`${IMPORTS}\n(async () => {${code}\n})();`, { type: 'commonjs', words, timeout: 300_000 });
  assert.deepEqual({ code: got.code, signal: got.signal }, { code: expected, signal: null }, got.stderr);
  assert.match(got.stderr, stderr);
  if (stdout !== undefined) assert.equal(got.stdout, stdout);
}

test('workers remove at once, each with a remover of its own', async () => {
  const picture = (await png()).toString('base64');
  const expected = await tiny().remove(await png(), { format: 'png' });
  const work = `
    const { parentPort } = require('node:worker_threads');
    const { Remover } = require('remrembg');
    const photo = Buffer.from('${picture}', 'base64');
    (async () => {
      const remover = new Remover(${JSON.stringify(TINY)});
      const made = await Promise.all(Array.from({ length: 20 }, () => remover.remove(photo, { format: 'png' })));
      parentPort.postMessage(made.map((file) => file.toString('base64')));
    })();`;
  const code = `
    const workers = Array.from({ length: 4 }, () => ${worker(work)});
    const exits = workers.map((worker) => once(worker, 'exit'));
    const made = await Promise.all(workers.map((worker) => once(worker, 'message')));
    const codes = await Promise.all(exits);
    console.log(new Set(made.flat(2)).size, made.flat(2).length, made[0][0][0] === '${expected.toString('base64')}', codes.join());`;
  await ends(code, { stdout: '1 80 true 0,0,0,0\n' });
});

test('workers share the model inside', withPhoto, async (context) => {
  const work = `
    const { parentPort } = require('node:worker_threads');
    require('remrembg').remove(${JSON.stringify(PHOTO)}, { w: 64 }).then(({ length }) => parentPort.once('message', () => {}).postMessage(length));`;
  const code = `
    await remove(${JSON.stringify(PHOTO)}, { w: 64 });
    const begin = async () => {
      const worker = ${worker(work)};
      const [length] = await once(worker, 'message');
      return { worker, length };
    };
    const workers = [await begin()];
    const before = process.memoryUsage().rss;
    for (let count = 0; count < 4; count += 1) workers.push(await begin());
    const grown = (process.memoryUsage().rss - before) / workers.slice(1).length / 2 ** 20;
    console.log(JSON.stringify({ lengths: [...new Set(workers.map(({ length }) => length))].length, grown }));
    await Promise.all(workers.map(({ worker }) => worker.terminate()));`;
  const { stdout, stderr } = await node(`${IMPORTS}\n(async () => {${code}\n})();`, { type: 'commonjs' });
  assert.equal(stderr, '');
  const { lengths, grown } = JSON.parse(stdout);
  context.diagnostic(`each further worker takes ${grown.toFixed(1)} MB`);
  assert.equal(lengths, 1);
  assert.ok(grown < 40, `${grown} MB: a worker of its own takes about 10, a model and its buffers over 60`);
});

/** A program's first words: a removal is at work once \`begun\` is. */
const begun = (engine, from = 'segment') => `
    const remover = new Remover({ engine: '${engine}' });
    const begun = new Promise((resolve) => {
      remover.remove(PHOTO, { preset: 'fast', onProgress: ({ stage }) => stage === '${from}' && resolve() }).catch(() => {});
    });
    await begun;`;
const SMALL = join(temporary(), 'small.png');
if (!withPhoto.skip) await sharp(PHOTO).resize(320).toFile(SMALL);
const photo = `const PHOTO = ${JSON.stringify(SMALL)};`;

for (const engine of ENGINES) {
  test(`${engine}: workers are terminated with work in flight, and the process goes on`, withPhoto, async () => {
    const work = `
      const { parentPort } = require('node:worker_threads');
      const { Remover } = require('remrembg');
      ${photo}
      const remover = new Remover({ engine: '${engine}' });
      remover.remove(PHOTO, { preset: 'fast', onProgress: ({ stage }) => parentPort.postMessage(stage) });`;
    const code = `
      for (let turn = 0; turn < ${TURNS}; turn += 1) {
        const worker = ${worker(work)};
        for (let count = 0; count < (turn % 4) * 2; count += 1) await once(worker, 'message');
        await worker.terminate();
      }
      const remover = new Remover({ engine: '${engine}' });
      console.log((await remover.remove(${JSON.stringify(PHOTO)}, { format: 'png', preset: 'fast', w: 32 })).length > 100);`;
    await ends(code, { stdout: 'true\n' });
  });

  test(`${engine}: process.exit() with work in flight`, withPhoto, async () => {
    for (let turn = 0; turn < TURNS; turn += 1) {
      const from = ['decode', 'segment', 'refine', 'encode'][turn % 4];
      await ends(`${photo}${begun(engine, from)} process.exit(3);`, { code: 3 });
    }
  });

  test(`${engine}: an uncaught exception with work in flight`, withPhoto, async () => {
    for (let turn = 0; turn < TURNS; turn += 1) {
      const code = `${photo}${begun(engine)} setImmediate(() => { throw new Error('mine'); });`;
      await ends(code, { code: 1, stderr: /Error: mine/ });
    }
  });

  test(`${engine}: the process ends by itself when the work is done, and not before`, withPhoto, async () => {
    for (let turn = 0; turn < 4; turn += 1) {
      const code = `${photo}
        const remover = new Remover({ engine: '${engine}' });
        const done = [remover.remove(PHOTO, { preset: 'fast', w: 64 }).then(({ length }) => length > 0)];
        if (${turn % 2}) {
          const controller = new AbortController();
          const onProgress = ({ stage }) => { if (stage === 'segment') controller.abort(); };
          done.push(remover.remove(PHOTO, { preset: 'fast', signal: controller.signal, onProgress }).catch(({ name }) => name));
        }
        Promise.all(done).then((told) => console.log(...told));`;
      await ends(code, { stdout: turn % 2 ? 'true AbortError\n' : 'true\n' });
    }
  });
}

test('process.exit() while a model is loaded', async () => {
  for (let turn = 0; turn < TURNS; turn += 1) {
    await ends(`new Remover().load(); await sleep(${turn * 10}); process.exit(0);`);
  }
});

test('a worker is terminated while a model is loaded', async () => {
  const code = `
    for (let turn = 0; turn < ${TURNS}; turn += 1) {
      const worker = ${worker("require('remrembg').remove(undefined).catch(() => {});")};
      await once(worker, 'online');
      await sleep(turn * 12);
      await worker.terminate();
    }
    console.log(await remove(undefined).catch(({ code }) => code));`;
  await ends(code, { stdout: 'no_image\n' });
});

test('many removals are in flight when the process exits', withPhoto, async () => {
  const large = join(temporary(), 'large.jpg');
  writeFileSync(large, await largePhoto());
  for (let turn = 0; turn < 3; turn += 1) {
    const code = `
      const remover = new Remover({ in_flight: 8 });
      for (let count = 0; count < 16; count += 1) remover.remove(${JSON.stringify(large)}).catch(() => {});
      await remover.load();
      await sleep(${turn * 200});
      process.exit(0);`;
    await ends(code);
  }
});

test('removers that nobody has go, with their threads and memory', async () => {
  const code = `
    const { readdirSync } = require('node:fs');
    const { setFlagsFromString } = require('node:v8');
    setFlagsFromString('--expose-gc');
    const gc = require('node:vm').runInNewContext('gc');
    const picture = ${JSON.stringify({ ...halves(8, 8), data: undefined })};
    picture.data = new Uint8Array(${JSON.stringify([...halves(8, 8).data])});
    const held = () => ['task', 'fd'].map((name) => readdirSync('/proc/self/' + name).length);
    const use = async (count, most) => {
      for (let turn = 0; turn < count; turn += 1) await new Remover(${JSON.stringify(TINY)}).remove(picture);
      for (let turn = 0; turn < (most ? 500 : 5); turn += 1) {
        gc();
        await sleep(20);
        const now = held();
        if (most && now[0] - most[0] <= 2 && now[1] <= most[1]) break;
      }
      return held();
    };
    const before = await use(5);
    const after = await use(30, before);
    console.log(after[0] - before[0] <= 2 && after[1] <= before[1], before.join(), after.join());`;
  const { stdout, stderr } = await node(`${IMPORTS}\n(async () => {${code}\n})();`, { type: 'commonjs' });
  assert.equal(stderr, '');
  assert.match(stdout, /^true/);
});

test('the package may be loaded again and again, as test runners do', async () => {
  const code = `
    const picture = Buffer.from('${(await png()).toString('base64')}', 'base64');
    for (let turn = 0; turn < 15; turn += 1) {
      for (const file of Object.keys(require.cache)) delete require.cache[file];
      const its = require('remrembg');
      await new its.Remover(${JSON.stringify(TINY)}).remove(picture);
    }
    console.log('done');`;
  await ends(code, { stdout: 'done\n' });
});

test('this process has one of everything, however it is loaded', () => {
  assert.equal(remrembg.Remover, require('remrembg').Remover);
  assert.equal(remrembg.RembgError, require('remrembg').RembgError);
});
