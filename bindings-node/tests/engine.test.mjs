// Which engine is used: our own for the bundled model; for others ONNX Runtime of the project's `onnxruntime-node`, or rten.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { node, png, project, require, run, TINY } from './support.mjs';

/** The folder of `onnxruntime-node`, where it is installed. */
const RUNTIME = (() => {
  try {
    return dirname(require.resolve('onnxruntime-node/package.json'));
  } catch {
    return undefined;
  }
})();
const withRuntime = { skip: RUNTIME ? false : 'needs onnxruntime-node' };

const TELL = `
  const engine = await remover.load();
  const { sharedObjects } = process.report.getReport();
  const loaded = sharedObjects.filter((path) => /onnxruntime/.test(path)).map((path) => path.split('/').pop().replace(/[.0-9]+$/, ''));
  const cached = Object.keys(require.cache).filter((path) => /onnxruntime/.test(path));
  console.log(JSON.stringify({ ...engine, loaded, cached }));`;
/** Settings of another model than the bundled one. */
const OTHER = { ...TINY, engine: 'auto' };
const IMPORT = `
  import { createRequire } from 'node:module';
  import { Remover } from 'remrembg';
  const require = createRequire(process.cwd() + '/file.js');`;

/** What a remover in a project runs on, and what the process has loaded. */
async function told(folder, settings = OTHER, more = '') {
  const code = `${IMPORT} const remover = new Remover(${JSON.stringify(settings)}); ${more} ${TELL}`;
  const { stdout, stderr, code: status } = await node(code, { cwd: folder });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return JSON.parse(stdout);
}

test("a project's onnxruntime-node is used, and not loaded as a module", withRuntime, async () => {
  const { name, library, loaded, cached, provider } = await told(project(['onnxruntime-node']));
  assert.equal(name, 'onnxruntime');
  assert.equal(provider, 'CPUExecutionProvider');
  assert.match(library, new RegExp(`onnxruntime-node/bin/napi-v\\d+/${process.platform}/${process.arch}/`));
  assert.deepEqual(cached, []);
  assert.ok(loaded.length > 0 && !loaded.some((file) => /binding/.test(file)), `${loaded}`);
});

test('it is found from a script, a module and a worker, and above the current folder', withRuntime, async () => {
  const folder = project(['onnxruntime-node']);
  const below = join(folder, 'source/deep');
  mkdirSync(below, { recursive: true });
  writeFileSync(
    join(below, 'script.cjs'),
    `new (require('remrembg').Remover)(${JSON.stringify(OTHER)}).load().then(({ name }) => console.log(name));`,
  );
  writeFileSync(
    join(below, 'module.mjs'),
    `import { Remover } from 'remrembg'; console.log((await new Remover(${JSON.stringify(OTHER)}).load()).name);`,
  );
  writeFileSync(
    join(below, 'worker.cjs'),
    `const { Worker } = require('node:worker_threads'); new Worker(__dirname + '/script.cjs');`,
  );
  for (const name of ['script.cjs', 'module.mjs', 'worker.cjs']) {
    for (const cwd of [below, folder, '/']) {
      const { stdout, stderr } = await node(`await import(${JSON.stringify(join(below, name))})`, { cwd });
      assert.deepEqual({ name, cwd, stdout, stderr }, { name, cwd, stdout: 'onnxruntime\n', stderr: '' });
    }
  }
});

test('that of the current folder is not used: what lies there need not be trusted', withRuntime, async () => {
  const script = join(project(), 'script.cjs');
  writeFileSync(
    script,
    `new (require('remrembg').Remover)(${JSON.stringify(OTHER)}).load().then(({ name }) => console.log(name));`,
  );
  const { stdout, stderr } = await run(process.execPath, [script], { cwd: project(['onnxruntime-node']) });
  assert.deepEqual({ stdout, stderr }, { stdout: 'rten\n', stderr: '' });
});

test('the bundled model runs on our own engine, and nothing is loaded for it', withRuntime, async () => {
  const { name, provider, library, loaded, fallback } = await told(project(['onnxruntime-node']), {});
  assert.deepEqual([name, provider, library, loaded, fallback], ['native', 'CPU', undefined, [], undefined]);
  const { name: asked } = await told(project(['onnxruntime-node']), { engine: 'onnxruntime' });
  assert.equal(asked, 'onnxruntime');
});

test('without it rten is used for other models, and says why', async () => {
  const { name, library, loaded, fallback, provider } = await told(project());
  assert.deepEqual([name, provider, library], ['rten', 'CPU', undefined]);
  assert.deepEqual(loaded, []);
  assert.match(fallback, /ONNX Runtime was not found/);
});

test('rten is used where it is asked for', withRuntime, async () => {
  const { name, loaded, fallback } = await told(project(['onnxruntime-node']), { engine: 'rten' });
  assert.deepEqual([name, loaded, fallback], ['rten', [], undefined]);
});

test('where ONNX Runtime is asked for and is not there, that is an error', async () => {
  const code = `${IMPORT} await new Remover({ engine: 'onnxruntime' }).load().catch(({ kind, message }) => console.log(kind, message));`;
  const { stdout } = await node(code, { cwd: project() });
  assert.match(stdout, /^engine .*ONNX Runtime was not found/);
});

const broken = {
  'is empty': (bin) => rmSync(bin, { recursive: true }),
  'has no library for this machine': (bin) => rmSync(join(bin, process.platform), { recursive: true }),
  'has a library that is none': (bin) => {
    const folder = join(bin, process.platform, process.arch);
    for (const file of readdirSync(folder)) writeFileSync(join(folder, file), 'no library');
  },
};
for (const [what, spoil] of Object.entries(broken)) {
  test(`with an onnxruntime-node that ${what} rten is used for other models`, withRuntime, async () => {
    const folder = project();
    const copy = join(folder, 'node_modules/onnxruntime-node');
    const version = readdirSync(join(RUNTIME, 'bin')).find((name) => name.startsWith('napi'));
    const machine = join('bin', version, process.platform, process.arch);
    mkdirSync(join(copy, machine), { recursive: true });
    cpSync(join(RUNTIME, 'package.json'), join(copy, 'package.json'));
    const file = readdirSync(join(RUNTIME, machine)).find((name) => /^libonnxruntime\.|^onnxruntime\.dll$/.test(name));
    cpSync(join(RUNTIME, machine, file), join(copy, machine, file));
    spoil(join(copy, 'bin', version));
    const { name, fallback } = await told(folder);
    assert.equal(name, 'rten');
    assert.match(fallback, /ONNX Runtime was (not found|found but cannot be used)/);
  });
}

const WORK = `
  const ort = require('onnxruntime-node');
  const { readFileSync } = require('node:fs');
  const session = await ort.InferenceSession.create(readFileSync(${JSON.stringify(TINY.model)}));
  const theirs = async (count) => {
    for (let turn = 0; turn < count; turn += 1) {
      const input = new ort.Tensor('float32', new Float32Array(192).fill(turn), [1, 3, 8, 8]);
      const { out } = await session.run({ in: input });
      if (out.data[100] !== turn) throw new Error('theirs is wrong');
    }
  };
  const photo = Buffer.from(PHOTO, 'base64');
  const ours = async (remover, count) => {
    const made = await Promise.all(Array.from({ length: count }, () => remover.remove(photo, { format: 'png', preset: 'fast' })));
    if (!made.every((file) => file.equals(made[0]))) throw new Error('ours is wrong');
    return made[0];
  };`;

for (const order of ['before', 'after']) {
  test(`onnxruntime-node itself may be loaded ${order} and work beside it`, withRuntime, async () => {
    const photo = (await png(64, 48)).toString('base64');
    const first = order === 'after' ? "await (new Remover({ engine: 'onnxruntime' })).load();" : '';
    const code = `${IMPORT} const PHOTO = '${photo}'; ${first} ${WORK}
      const remover = new Remover({ engine: 'onnxruntime' });
      const inside = ['native', 'rten'].map((engine) => new Remover({ engine }));
      const [made] = await Promise.all([ours(remover, 4), theirs(500), ...inside.map((one) => ours(one, 2))]);
      await session.release();
      console.log((await remover.load()).name, made.equals(await remover.remove(photo, { format: 'png', preset: 'fast' })));`;
    const result = await node(code, { cwd: project(['onnxruntime-node', 'onnxruntime-common']) });
    assert.deepEqual(result, { code: 0, signal: null, stdout: 'onnxruntime true\n', stderr: '' });
  });
}
