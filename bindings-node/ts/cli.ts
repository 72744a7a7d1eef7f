#!/usr/bin/env node
// The command `remrembg`: the same as the Rust binary.

import { hints } from './engine';
import { native } from './native';

// Node's own handlers of these end the process at the first signal; the command has work to finish.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

process.exitCode = native.run(['remrembg', ...process.argv.slice(2)], hints());
