// Many pictures.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';

import { decoded, deferred, halves, node, png, remrembg, TINY, tiny, within } from './support.mjs';

const remover = tiny();
const photo = await png();
const reason = new Error('my reason');
const mine = new Error('mine');

async function all(outcomes) {
  const made = [];
  for await (const outcome of outcomes) made.push(outcome);
  return made;
}

/** Each of this width and more. */
const numbered = (count) => Array.from({ length: count }, (_, number) => halves(8 + number, 8));
const width = async ({ result }) => (await decoded(result)).width;

test('many come in order with what they were made from, and a bad one spoils no other', async () => {
  const pictures = numbered(20);
  pictures[3] = Buffer.from('no picture');
  pictures[5] = 42;
  pictures[7] = undefined;
  for (const source of [
    pictures,
    new Set(pictures),
    Readable.from(pictures.map((picture) => picture ?? null).filter(Boolean)),
  ]) {
    const wanted = source === pictures || source instanceof Set ? pictures : pictures.filter(Boolean);
    const outcomes = await all(remover.removeMany(source, { format: 'png', jobs: 4 }));
    assert.deepEqual(
      outcomes.map(({ picture }) => picture),
      wanted,
    );
    for (const [at, outcome] of outcomes.entries()) {
      const bad = [3, 5, 7].includes(pictures.indexOf(wanted[at]));
      if (bad) assert.ok(outcome.error instanceof Error && outcome.result === undefined);
      else assert.equal(await width(outcome), wanted[at].width);
    }
  }
  const outcomes = await all(remover.removeMany(pictures));
  assert.ok(outcomes[3].error instanceof remrembg.RembgError && outcomes[5].error instanceof TypeError);
  assert.equal(outcomes[7].error.code, 'no_image');
});

test('no picture gives no outcome', async () => {
  assert.deepEqual(await all(remover.removeMany([])), []);
  assert.deepEqual(await all(remover.removeMany((async function* () {})())), []);
});

test('no more pictures are taken than two for each job', async () => {
  for (const [settings, options, most] of [
    // And the one that is on its way to the loop.
    [{}, { jobs: 2 }, 5],
    [{}, { jobs: 1 }, 3],
    [{ in_flight: 3 }, {}, 7],
  ]) {
    let taken = 0;
    let given = 0;
    function* endless() {
      for (;;) {
        taken += 1;
        assert.ok(taken - given <= most, `${taken} taken, ${given} given`);
        yield photo;
      }
    }
    for await (const { error } of tiny(settings).removeMany(endless(), options)) {
      assert.equal(error, undefined);
      given += 1;
      if (given === 12) break;
    }
    assert.ok(taken - given <= most);
  }
});

test('while one picture takes long, twice as many as jobs are taken', async () => {
  const [slow, taken] = [new Readable({ read() {} }), deferred()];
  function* source() {
    yield slow;
    for (let count = 2; count <= 6; count += 1) {
      if (count === 4) taken.resolve();
      yield photo;
    }
  }
  const outcomes = all(remover.removeMany(source(), { jobs: 2 }));
  await within(taken.promise, 'the fourth picture');
  slow.push(photo);
  slow.push(null);
  assert.equal((await within(outcomes)).filter(({ result }) => result).length, 6);
});

test('pictures are worked on while one is looked at', async () => {
  const taken = deferred();
  function* source() {
    yield photo;
    for (let count = 2; count <= 5; count += 1) {
      if (count === 5) taken.resolve();
      yield photo;
    }
  }
  for await (const { result } of remover.removeMany(source(), { jobs: 2 })) {
    assert.ok(result);
    await within(taken.promise, 'the fifth picture');
  }
});

test('jobs are worked on at once', async () => {
  const given = [1, 2, 3].map(() => {
    const { promise, resolve } = deferred();
    return { begun: promise, stream: new Readable({ read: resolve }) };
  });
  const streams = given.map(({ stream }) => stream);
  const outcomes = all(remover.removeMany(streams, { jobs: 3, format: 'png' }));
  await within(Promise.all(given.map(({ begun }) => begun)), 'the start of all three');
  for (const stream of [...streams].reverse()) {
    stream.push(photo);
    stream.push(null);
  }
  assert.equal((await within(outcomes)).length, 3);
});

test('a wrong number of jobs is told', async () => {
  for (const jobs of [0, -1, 1.5, '2', Number.NaN]) {
    await assert.rejects(all(remover.removeMany([photo], { jobs })), {
      name: 'TypeError',
      message: /jobs.*whole number/,
    });
  }
});

test('one picture is not many', async () => {
  for (const one of ['photo.jpg', photo, new Uint8Array(photo), photo.buffer, halves(8, 8), 42, undefined, null]) {
    await assert.rejects(all(remover.removeMany(one)), { name: 'TypeError', message: /^pictures must be/ });
  }
});

test('an unknown option is told of each picture', async () => {
  const outcomes = await all(remover.removeMany([photo, photo], { zoom: 1 }));
  assert.deepEqual(
    outcomes.map(({ error }) => error.code),
    ['unknown_option', 'unknown_option'],
  );
});

test('leaving the loop ends the work and lets the source go', async () => {
  let returned = 0;
  const streams = [];
  const read = deferred();
  async function* source() {
    try {
      yield photo;
      for (;;) {
        const stream = new Readable({ read: read.resolve });
        streams.push(stream);
        yield stream;
      }
    } finally {
      returned += 1;
    }
  }
  const leave = async () => {
    for await (const { result } of remover.removeMany(source(), { jobs: 3 })) {
      assert.ok(result);
      await read.promise;
      break;
    }
  };
  await within(leave(), 'the loop');
  assert.equal(returned, 1);
  assert.ok(streams.length >= 1 && streams.every(({ destroyed }) => destroyed), 'what was at work is stopped');
  const thrown = (async () => {
    for await (const _ of remover.removeMany([photo, photo])) throw mine;
  })();
  await assert.rejects(thrown, mine);
});

test('leaving the loop does not wait for a source that says nothing', async () => {
  async function* source() {
    yield photo;
    await new Promise(() => {});
  }
  const leave = async () => {
    for await (const _ of remover.removeMany(source(), { jobs: 2 })) break;
  };
  await within(leave(), 'the loop');
});

// In a process of its own, which can be ended if this one could not.
test('what a source throws comes out after its pictures', async () => {
  const code = `
    import { Remover } from 'remrembg';
    const mine = new Error('mine');
    const photo = Buffer.from('${photo.toString('base64')}', 'base64');
    const sources = {
      *generator() {
        yield photo;
        yield photo;
        throw mine;
      },
      async *asynchronous() {
        yield photo;
        await new Promise((resolve) => setTimeout(resolve, 5));
        yield photo;
        throw mine;
      },
      iterator: () => ({
        left: 2,
        [Symbol.iterator]() { return this; },
        next() {
          if (this.left-- > 0) return { value: photo };
          throw mine;
        },
      }),
    };
    const remover = new Remover(${JSON.stringify(TINY)});
    for (const [kind, source] of Object.entries(sources)) {
      for (const jobs of [1, 2, 8]) {
        let given = 0;
        try {
          for await (const { result } of remover.removeMany(source(), { jobs })) given += result.length > 0;
        } catch (error) {
          console.log(kind, jobs, given, error === mine);
        }
      }
    }`;
  const { signal, stdout, stderr } = await node(code, { timeout: 30_000 });
  const expected = ['generator', 'asynchronous', 'iterator'].flatMap((kind) =>
    [1, 2, 8].map((jobs) => `${kind} ${jobs} 2 true\n`),
  );
  assert.deepEqual({ signal, stdout, stderr }, { signal: null, stdout: expected.join(''), stderr: '' });
});

test('what a stream of pictures fails with comes out', async () => {
  const source = new Readable({ objectMode: true, read() {} });
  source.push(photo);
  const loop = async () => {
    for await (const { error } of remover.removeMany(source)) {
      assert.equal(error, undefined);
      source.destroy(mine);
    }
  };
  await assert.rejects(within(loop()), (error) => error === mine);
});

test('a slow source does not hold back what is done', async () => {
  const given = [deferred(), deferred(), deferred()];
  let count = 0;
  async function* source() {
    for (const { promise } of given) {
      yield photo;
      await promise;
    }
  }
  const loop = async () => {
    for await (const { error } of remover.removeMany(source(), { jobs: 8 })) {
      assert.equal(error, undefined);
      given[count++].resolve();
    }
  };
  await within(loop(), 'the loop over a source that waits for each result');
  assert.equal(count, 3);
});

test('a signal ends many with its reason, also while the source says nothing', async () => {
  async function* silent() {
    yield photo;
    await new Promise(() => {});
  }
  const endless = function* () {
    for (;;) yield photo;
  };
  const stuck = function* () {
    yield photo;
    for (;;) yield new Readable({ read() {} });
  };
  for (const [kind, source] of Object.entries({ endless, stuck, silent })) {
    const controller = new AbortController();
    let given = 0;
    const loop = async () => {
      for await (const { error } of remover.removeMany(source(), { signal: controller.signal, jobs: 2 })) {
        assert.equal(error, undefined);
        given += 1;
        setImmediate(() => controller.abort(reason));
      }
    };
    await assert.rejects(
      within(loop(), `the loop over a ${kind} source`),
      (error) => error === reason || assert.fail(error),
    );
    assert.ok(given > 0);
  }
  const signal = AbortSignal.abort(reason);
  let taken = 0;
  const pictures = (function* () {
    taken += 1;
    yield photo;
  })();
  await assert.rejects(all(remover.removeMany(pictures, { signal })), (error) => error === reason);
  assert.equal(taken, 0, 'no picture is taken');
});

test('after a signal no more pictures are taken, although the loop does not ask yet', async () => {
  const controller = new AbortController();
  let taken = 0;
  function* endless() {
    for (;;) {
      taken += 1;
      yield taken === 1 ? photo : new Readable({ read() {} });
    }
  }
  const loop = async () => {
    for await (const _ of remover.removeMany(endless(), { signal: controller.signal, jobs: 8 })) {
      controller.abort(reason);
      const before = taken;
      for (let count = 0; count < 20; count += 1) await new Promise(setImmediate);
      assert.ok(taken <= before + 1, `${taken - before} more, of which one was on its way`);
    }
  };
  await assert.rejects(within(loop()), (error) => error === reason || assert.fail(error));
});

test('why many end is told, not what a source says that is let go', async () => {
  const controller = new AbortController();
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ value: photo }),
      return: async () => {
        throw mine;
      },
    }),
  };
  const loop = async (act) => {
    for await (const _ of remover.removeMany(source, { signal: controller.signal })) if (act()) break;
  };
  await assert.rejects(
    loop(() => true),
    (error) => error === mine,
  );
  await assert.rejects(
    loop(() => controller.abort(reason)),
    (error) => error === reason,
  );
});

test('progress is told of each picture', async () => {
  const pictures = numbered(3);
  const ends = [];
  const onProgress = ({ stage, fraction }, picture) => stage === 'encode' && fraction === 1 && ends.push(picture);
  await all(remover.removeMany(pictures, { onProgress, jobs: 1 }));
  assert.deepEqual(ends, pictures);
  const outcomes = await all(
    remover.removeMany([photo, photo], {
      onProgress: () => {
        throw mine;
      },
    }),
  );
  assert.deepEqual(
    outcomes.map(({ error }) => error),
    [mine, mine],
  );
});
