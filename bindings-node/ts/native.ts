// The native module, and the types of what it exports.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Options or settings, as text. */
export type Pairs = [string, string][];

export interface Step {
  stage: string;
  done: number;
  total: number;
}

/** A Buffer whose memory is its own, which the Web's `Response` takes. */
export type Memory = ReturnType<typeof Buffer.concat>;

export interface Made {
  data: Memory;
  width: number;
  height: number;
  channels: number;
  mime?: string;
  found?: { coverage: number; bounds?: number[]; confidence: number };
}

export interface Ready {
  model: string;
  name: string;
  version: string;
  provider: string;
  library?: string;
  threads: number;
  fallback?: string;
  inFlight: number;
}

export interface Refusal {
  kind: string;
  code: string;
  status: number;
  message: string;
  details: [string, string][];
  body: string;
  errno?: number;
  reason?: string;
}

export type News = Step | Made | Ready | string | Refusal;

/** What is made: an encoded file, pixels, or the model's matte as the bytes of 32-bit floats. */
export type Kind = 'file' | 'pixels' | 'matte';

export interface Task {
  options: Pairs;
  kind: Kind;
  moreFormats: boolean;
}

export interface Work {
  end(): void;
}

export interface Stop {
  stop(): void;
}

export interface Picture {
  push(piece: Uint8Array): boolean;
  discard(): void;
}

export interface Remover {
  readonly maxBytes: number;
  load(work: Work, task: number, stop: Stop): void;
  remove(work: Work, task: number, stop: Stop, picture: Picture, mask: Picture | undefined, wanted: Task): void;
}

interface Native {
  VERSION: string;
  NOTHING_FOUND: string;
  Work: new (tell: (task: number, news: News, last: boolean) => void) => Work;
  Stop: new () => Stop;
  Picture: {
    missing(): Picture;
    path(path: string): Picture;
    pieces(name: string | undefined, maxBytes: number, size?: number): Picture;
    pixels(width: number, height: number, channels: number, stride: number, length: number): Picture;
  };
  Remover: new (work: Work, settings: Pairs, hints: string[], shared: boolean) => Remover;
  refusedSettings(settings: Pairs): Refusal | null;
  models(): string[];
  notice(name: string): string | null;
  fetch(work: Work, task: number, stop: Stop, name: string): void;
  run(words: string[], hints: string[]): number;
}

/** The file for this machine, as `make node-package` names it. */
function load(): Native {
  const path = join(__dirname, '..', 'prebuilds', `${process.platform}-${process.arch}.node`);
  if (!existsSync(path)) {
    throw new Error(`remrembg has no native module for ${process.platform} on ${process.arch}: there is no ${path}`);
  }
  return require(path);
}

export const native: Native = load();
