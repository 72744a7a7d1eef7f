#!/usr/bin/env node
// The command `remrembg`: the same as the Rust binary.

import { hints } from './engine';
import { native } from './native';

process.exitCode = native.run(['remrembg', ...process.argv.slice(2)], hints());
