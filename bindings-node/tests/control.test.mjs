// Following a removal, stopping it, and how many run at once.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { test } from 'node:test';

import {
  busy,
  halves,
  largePhoto,
  node,
  PHOTO,
  png,
  raw,
  remrembg,
  sleep,
  TINY,
  tiny,
  turn,
  within,
  withPhoto,
} from './support.mjs';

const STAGES = ['decode', 'upright', 'segment', 'refine', 'cut_out', 'resize', 'rotate', 'background', 'encode'];
const remover = tiny();
const photo = await png();
const reason = new Error('my reason');

/** A stream that never ends, and says nothing. */
const endless = () => new Readable({ read() {} });

async function isWell(its = remover) {
  assert.ok(await within(its.remove(photo), 'the next removal'));
}

test('progress tells each stage from start to end, and nothing after it', async () => {
  for (const options of [{}, { w: 50, angle: 30, bg_color: 'red' }, { mask: true, format: 'png' }]) {
    const told = [];
    let settled = false;
    const removal = remover.remove(photo, {
      ...options,
      onProgress: (progress) => {
        assert.ok(!settled, 'it is told before the end');
        told.push(progress);
      },
    });
    await removal.finally(() => (settled = true));
    await isWell();
    const stages = [...new Set(told.map(({ stage }) => stage))];
    assert.deepEqual(
      stages,
      STAGES.filter((stage) => stages.includes(stage)),
      'stages come in their order',
    );
    assert.ok(['decode', 'segment', 'refine', 'encode'].every((stage) => stages.includes(stage)));
    if (options.w) assert.ok(['resize', 'rotate', 'background'].every((stage) => stages.includes(stage)));
    for (const stage of stages) {
      const fractions = told.filter((step) => step.stage === stage).map(({ fraction }) => fraction);
      assert.deepEqual([fractions[0], fractions.at(-1)], [0, 1]);
      assert.ok(
        fractions.every((fraction, at) => at === 0 || fraction >= fractions[at - 1]),
        `${stage}: ${fractions}`,
      );
    }
    const indices = told.map(({ stage }) => stages.indexOf(stage));
    assert.ok(
      indices.every((index, at) => at === 0 || index >= indices[at - 1]),
      'one stage ends before the next',
    );
    assert.deepEqual(told.at(-1), { stage: 'encode', fraction: 1 });
    assert.deepEqual(Object.keys(told[0]), ['stage', 'fraction']);
  }
});

test('pixels are not encoded', async () => {
  const stages = new Set();
  await remover.removeRaw(photo, { onProgress: ({ stage }) => stages.add(stage) });
  assert.ok(stages.has('decode') && !stages.has('encode'));
});

const throwing = {
  'what a callback throws': () => {
    throw reason;
  },
  'what an asynchronous callback throws': async () => {
    throw reason;
  },
};
for (const [what, fail] of Object.entries(throwing)) {
  for (const stage of ['decode', 'segment', 'encode']) {
    for (const fraction of [0, 1]) {
      test(`${what} at ${stage} ${fraction} ends the removal and comes out`, async () => {
        const told = [];
        const onProgress = (progress) => {
          told.push(progress.stage);
          return progress.stage === stage && progress.fraction === fraction ? fail() : undefined;
        };
        const error = await remover.remove(photo, { onProgress }).catch((caught) => caught);
        assert.ok(error === reason, String(error));
        assert.equal(told.at(-1), stage, 'nothing is told after it');
        await isWell();
      });
    }
  }
}

test('what onFound throws is what the removal rejects with, now or later', async () => {
  for (const fail of Object.values(throwing)) {
    const error = await remover.remove(photo, { onFound: fail }).catch((caught) => caught);
    assert.ok(error === reason, String(error));
    for await (const outcome of remover.removeMany([photo], { onFound: fail })) {
      assert.ok(outcome.error === reason, String(outcome.error));
    }
  }
});

test('what a thenable of another library rejects with comes out', async () => {
  // biome-ignore lint/suspicious/noThenProperty: it is meant to be one
  const onProgress = () => ({ then: (_, reject) => queueMicrotask(() => reject(reason)) });
  const error = await remover.remove(photo, { onProgress }).catch((caught) => caught);
  assert.ok(error === reason, 'it is what the thenable rejects with');
});

test('what is thrown need not be an error', async () => {
  for (const thrown of [undefined, null, 'text', 0]) {
    const onProgress = () => {
      throw thrown;
    };
    const outcome = await remover.remove(photo, { onProgress }).then(
      () => assert.fail('it is not rejected'),
      (error) => ({ error }),
    );
    assert.deepEqual(outcome, { error: thrown });
  }
});

test('a slow asynchronous callback does not hold the removal up', async () => {
  const made = remover.remove(photo, { onProgress: () => new Promise(() => {}) });
  assert.ok(await within(made));
});

test('a callback may use the remover', async () => {
  const inner = [];
  const one = tiny({ in_flight: 1 });
  await within(one.remove(photo, { onProgress: () => void inner.push(one.remove(photo)) }));
  const results = await within(Promise.all(inner));
  assert.ok(results.length >= 6 && results.every((result) => result.equals(results[0])));
});

test('a signal that is aborted already rejects with its reason, and nothing is told', async () => {
  for (const why of [reason, 'text', undefined, null]) {
    const controller = new AbortController();
    controller.abort(why);
    const { signal } = controller;
    for (const picture of [photo, halves(8, 8), createReadStream(PHOTO), new Blob([photo]), undefined]) {
      const error = await remover.remove(picture, { signal, onProgress: () => assert.fail('it does not begin') }).then(
        () => assert.fail('it is not rejected'),
        (caught) => caught,
      );
      assert.equal(error, signal.reason);
    }
  }
});

test('a signal stops who waits in the queue, at once', async () => {
  const { remover: its, first, begun, letGo } = busy(photo);
  await begun;
  const controller = new AbortController();
  const told = [];
  const second = its.remove(photo, { signal: controller.signal, onProgress: (step) => told.push(step) });
  const third = its.remove(photo);
  await turn();
  controller.abort(reason);
  await assert.rejects(within(second), (error) => error === reason);
  assert.deepEqual(told, []);
  letGo();
  assert.ok(await first);
  assert.ok(await within(third), 'others keep their turn');
});

/** Milliseconds for which this process computed: what others take does not count. */
function spent() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

let reference;
/** A remover, a large photo, and what a removal of it computes from the start of a stage on. */
function measured() {
  reference ??= (async () => {
    const [inside, large, starts] = [new remrembg.Remover(), await largePhoto(), {}];
    await inside.load();
    await inside.remove(large, { onProgress: ({ stage }) => (starts[stage] ??= spent()) });
    const end = spent();
    return { inside, large, rest: (stage) => end - starts[stage] };
  })();
  return reference;
}

for (const stage of ['decode', 'segment', 'refine', 'cut_out', 'encode']) {
  test(`a signal stops a picture of 12 megapixels that has come to ${stage}`, withPhoto, async (context) => {
    const { inside, large, rest } = await measured();
    const controller = new AbortController();
    let at;
    const onProgress = (progress) => {
      if (progress.stage !== stage || at) return;
      at = spent();
      controller.abort(reason);
    };
    const removal = inside.remove(large, { signal: controller.signal, onProgress });
    await assert.rejects(within(removal), (error) => error === reason);
    const took = spent() - at;
    context.diagnostic(`it computed for ${took.toFixed(0)} ms more, instead of ${rest(stage).toFixed(0)}`);
    assert.ok(took < rest(stage) / 2, `${took} ms of ${rest(stage)}`);
    await isWell(inside);
  });
}

test('a signal stops a stream that never ends', async () => {
  async function* silent() {
    yield photo.subarray(0, 9);
    await new Promise(() => {});
  }
  for (const [kind, stream] of Object.entries({ node: endless(), web: new ReadableStream({}), generator: silent() })) {
    const controller = new AbortController();
    const removal = remover.remove(stream, { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await assert.rejects(
      within(removal, `the removal of a ${kind} stream`),
      (error) => error === reason || assert.fail(error),
    );
  }
  await isWell();
});

test('a signal stops a stream at whatever moment it comes', async () => {
  const well = tiny();
  await well.load();
  for (let ticks = 0; ticks < 60; ticks += 1) {
    const controller = new AbortController();
    const stream = endless();
    const removal = well.remove(stream, { signal: controller.signal });
    removal.catch(() => {});
    for (let tick = 0; tick < ticks; tick += 1) await null;
    controller.abort(reason);
    await assert.rejects(
      within(removal, `a removal that is stopped after ${ticks} ticks`),
      (error) => error === reason,
    );
    await sleep(0);
    assert.ok(stream.destroyed, 'the stream is let go of');
  }
});

test('a signal stops a removal at whatever moment it comes', async () => {
  const well = tiny({ in_flight: 1 });
  const expected = await well.remove(photo);
  for (let ticks = 0; ticks < 40; ticks += 1) {
    const controller = new AbortController();
    const removals = [photo, photo].map((picture) => well.remove(picture, { signal: controller.signal }));
    const settled = Promise.allSettled(removals);
    for (let tick = 0; tick < ticks; tick += 1) await null;
    controller.abort(reason);
    for (const { status, value, reason: why } of await within(settled)) {
      if (status === 'fulfilled') assert.ok(value.equals(expected));
      else assert.equal(why, reason);
    }
    assert.ok(await within(well.remove(photo), `the removal after ${ticks} ticks`));
  }
});

test('a signal that aborts by time rejects with its reason', async () => {
  const signal = AbortSignal.timeout(30);
  await assert.rejects(within(remover.remove(endless(), { signal })), (error) => {
    assert.equal(error, signal.reason);
    return error.name === 'TimeoutError';
  });
  const { remover: its, first, letGo } = busy(photo);
  await assert.rejects(within(its.remove(photo, { signal: AbortSignal.timeout(30) })), { name: 'TimeoutError' });
  letGo();
  await first;
  await isWell(its);
});

test('a callback may abort its own removal', async () => {
  for (const stage of ['decode', 'segment', 'encode']) {
    const controller = new AbortController();
    const onProgress = (progress) => progress.stage === stage && controller.abort(reason);
    await assert.rejects(remover.remove(photo, { signal: controller.signal, onProgress }), (error) => error === reason);
  }
  await isWell();
});

test('one signal may serve any number of removals without a warning', async () => {
  const warnings = [];
  const hear = (warning) => warnings.push(warning);
  process.on('warning', hear);
  const controller = new AbortController();
  const { signal } = controller;
  const its = tiny({ in_flight: 2 });
  await Promise.all(Array.from({ length: 50 }, (_, at) => its.remove(at % 2 ? photo : new Blob([photo]), { signal })));
  const listeners = getEventListeners(signal, 'abort').length;
  assert.ok(listeners <= 1, `${listeners} listeners are left`);
  const left = Array.from({ length: 50 }, () => its.remove(endless(), { signal }));
  await turn();
  controller.abort(reason);
  for (const outcome of await within(Promise.allSettled(left))) assert.equal(outcome.reason, reason);
  await turn();
  process.off('warning', hear);
  assert.deepEqual(warnings, []);
  await isWell(its);
});

// Node itself keeps a signal with a deadline alive for as long as somebody listens.
test('signals that nobody has are let go of', async () => {
  const code = `
    import { Remover } from 'remrembg';
    const remover = new Remover(${JSON.stringify(TINY)});
    const photo = Buffer.from('${photo.toString('base64')}', 'base64');
    let gone = 0;
    const registry = new FinalizationRegistry(() => (gone += 1));
    const removed = async () => {
      for (let turn = 0; turn < 50; turn += 1) {
        const signal = AbortSignal.timeout(2 ** 30);
        registry.register(signal);
        await remover.remove(photo, { signal });
        for await (const _ of remover.removeMany([photo], { signal }));
      }
    };
    await removed();
    for (let turn = 0; turn < 5; turn += 1) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    console.log(gone >= 45 || gone);`;
  const { stdout, stderr } = await node(code, { flags: ['--expose-gc'] });
  assert.deepEqual({ stdout, stderr }, { stdout: 'true\n', stderr: '' });
});

test('no more than in_flight are at work, and they come in their order', async () => {
  for (const in_flight of [1, 3]) {
    const its = tiny({ in_flight });
    const atWork = new Set();
    const began = [];
    let most = 0;
    const removals = Array.from({ length: 20 }, async (_, number) => {
      const onProgress = ({ stage, fraction }) => {
        if (stage === 'decode' && fraction === 0) began.push(number);
        if (stage === 'encode' && fraction === 1) atWork.delete(number);
        else atWork.add(number);
        most = Math.max(most, atWork.size);
      };
      await its.remove(raw(60, 60), { onProgress });
    });
    await Promise.all(removals);
    assert.ok(most <= in_flight, `${most} were at work at once`);
    assert.equal(new Set(began).size, 20);
    if (in_flight === 1)
      assert.deepEqual(
        began,
        [...began].sort((a, b) => a - b),
      );
  }
});

test('what fails gives its place back', async () => {
  const its = tiny({ in_flight: 1 });
  const bad = [
    Buffer.alloc(0),
    Buffer.from('no picture'),
    { data: new Uint8Array(3), width: 9, height: 9 },
    '/gone.png',
  ];
  const outcomes = await within(Promise.allSettled([...bad, ...bad, ...bad].map((picture) => its.remove(picture))));
  assert.ok(outcomes.every(({ status }) => status === 'rejected'));
  const thrown = Array.from({ length: 10 }, () =>
    its.remove(photo, {
      onProgress: () => {
        throw reason;
      },
    }),
  );
  await within(Promise.allSettled(thrown));
  await isWell(its);
});

test('streams that say nothing keep nobody else from a place', async () => {
  const its = tiny({ in_flight: 1 });
  const controller = new AbortController();
  const silent = Array.from({ length: 8 }, () => its.remove(endless(), { signal: controller.signal }));
  const settled = Promise.allSettled(silent);
  await isWell(its);
  assert.ok(await within(its.remove(Readable.from([photo]))));
  controller.abort(reason);
  await settled;
});

test('masks that say nothing keep nobody else from a place', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const masks = Array.from({ length: 8 }, () => endless());
  const silent = masks.map((mask) => remrembg.applySegmentationMask(photo, mask, { signal }));
  const settled = Promise.allSettled(silent);
  assert.ok(await within(remrembg.applySegmentationMask(photo, photo)));
  controller.abort(reason);
  for (const outcome of await within(settled)) assert.equal(outcome.reason, reason);
});
