// Tasks that threads of the native module do, as promises.

import { setInterval } from 'node:timers';

import { onAbort } from './abort';
import { RembgError } from './errors';
import { type News, native, type Refusal, type Step, type Stop } from './native';

interface Task {
  step(step: Step): void;
  settle(news: News): void;
}

const tasks = new Map<number, Task>();
let last = 0;

/** Keeps the process alive while a thread is at work. */
const alive = setInterval(() => {}, 2 ** 30).unref();

export const work = new native.Work((number, news, isLast) => {
  const task = tasks.get(number);
  if (isLast) {
    forget(number);
    task?.settle(news);
  } else {
    task?.step(news as Step);
  }
});

// `process.exit()` and an uncaught exception take libraries down under threads that use them.
atExit(() => work.end());

/** One listener, however often this module is loaded, as test runners do: Node warns of more than ten. */
function atExit(end: () => void): void {
  const key = Symbol.for('remrembg.atExit');
  const known = process as typeof process & { [key]?: (() => void)[] };
  if (!known[key]) {
    const ends = (known[key] = [] as (() => void)[]);
    process.once('exit', () => ends.forEach((each) => each()));
  }
  known[key].push(end);
}

function forget(number: number): void {
  tasks.delete(number);
  if (tasks.size === 0) alive.unref();
}

/**
 * Starts a task and waits for its end. `step` hears how far it has come, never after the end;
 * what it throws stops the task and is what the promise rejects with.
 */
export async function perform<T extends News>(
  start: (number: number, stop: Stop) => void,
  signal?: AbortSignal,
  step?: (step: Step) => unknown,
): Promise<T> {
  const news = await done(start, signal, step);
  // Made here, so that the error's stack has who called.
  if (isRefusal(news)) throw new RembgError(news);
  return news as T;
}

function done(
  start: (number: number, stop: Stop) => void,
  signal: AbortSignal | undefined,
  step: ((step: Step) => unknown) | undefined,
): Promise<News> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = new native.Stop();
    const number = ++last;
    let thrown: { error: unknown } | undefined;
    const fail = (error: unknown) => {
      thrown ??= { error };
      stop.stop();
    };
    const forgetSignal = onAbort(signal, () => stop.stop());
    const settle = (news: News) => {
      forgetSignal();
      if (thrown) reject(thrown.error);
      else if (signal?.aborted) reject(signal.reason);
      else resolve(news);
    };
    const tell = (told: Step) => {
      if (!thrown && !signal?.aborted) call(() => step?.(told), fail);
    };
    tasks.set(number, { step: tell, settle });
    alive.ref();
    try {
      start(number, stop);
    } catch (error) {
      forget(number);
      forgetSignal();
      reject(error);
    }
  });
}

/** Calls code of the user's, which may be asynchronous, and tells what it throws. */
export function call(callback: () => unknown, fail: (error: unknown) => void): void {
  try {
    const told = callback();
    if (isThenable(told)) Promise.resolve(told).catch(fail);
  } catch (error) {
    fail(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

function isRefusal(news: News): news is Refusal {
  return typeof news === 'object' && 'status' in news;
}
