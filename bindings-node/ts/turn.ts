// JavaScript's own thread is everybody's: long work there is done in pieces.

// Not the global one: a test that stands in for the clock would let nothing end.
import { setImmediate as soon } from 'node:timers';

/** Bytes of one piece, a millisecond's work. */
export const PIECE = 1 << 20;

/** Lets timers and other events have their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => soon(resolve));
}
