import { types } from 'node:util';

import type { Refusal } from './native';

/** One refused field of a request. */
export interface Problem {
  /** The option, or `image` for the picture itself. */
  field: string;
  /** The hosted API's message. */
  message: string;
}

/** Who has to act on an error. */
export type ErrorKind = 'validation' | 'cancelled' | 'model' | 'engine' | 'io' | 'internal';

/** The hosted API's answer to a request that it refuses. */
export interface ErrorBody {
  error: string;
  details?: Problem[];
  status: number;
}

/** Whether it is an error, also of another realm, as the built-in modules of a test runner are. */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error;
}

/** A refusal or a failure. */
export class RembgError extends Error {
  override readonly name: string = 'RembgError';
  /** The HTTP status: 400 for what is wrong with the request, 500 for what failed here. */
  readonly status: number;
  /** A stable name in snake_case, such as `file_too_large`. */
  readonly code: string;
  /** Who has to act. */
  readonly kind: ErrorKind;
  /** Each refused field; none where the request was not at fault. */
  readonly details: Problem[];
  /** The system's number, where a file could not be read. */
  declare readonly errno?: number;
  /** Why, where the message is the same for many causes and the cause is known, such as `this is a HEIC picture`. */
  declare readonly reason?: string;
  /** The hosted API's answer, as it would be sent. */
  readonly body: string;

  readonly #refusal: Refusal;

  /** @internal */
  constructor(refusal: Refusal, message: string = words(refusal)) {
    super(message);
    this.#refusal = refusal;
    this.status = refusal.status;
    this.code = refusal.code;
    this.kind = refusal.kind as ErrorKind;
    this.details = refusal.details.map(([field, text]) => ({ field, message: text }));
    this.body = refusal.body;
    if (refusal.errno !== undefined) Object.assign(this, { errno: refusal.errno });
    if (refusal.reason !== undefined) Object.assign(this, { reason: refusal.reason });
  }

  /** @internal The same in other words. */
  reworded(message: string): RembgError {
    return new RembgError(this.#refusal, message);
  }

  /** The hosted API's answer: `{ error, status }`, with `details` where there are several. */
  toJSON(): ErrorBody {
    return JSON.parse(this.body);
  }
}

/** The message, and below it each of several problems. */
function words({ message, details }: Refusal): string {
  if (details.length < 2) return message;
  return [`${message}:`, ...details.map(([field, text]) => `  ${field}: ${text}`)].join('\n');
}
