import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** ONNX Runtime, from version 1.30 on, would tell its maker of its use. Who has set it has decided. */
process.env.ORT_DISABLE_TELEMETRY ??= '1';

/** The folders where the user's project may have ONNX Runtime, found without loading it. */
export function hints(): string[] {
  return [...new Set(packages().flatMap(libraries))];
}

/**
 * The folders of `onnxruntime-node` that this package and the program see. Not those of the current
 * folder: what lies there need not be trusted, and a library runs code when it is loaded.
 */
function packages(): string[] {
  const from = [__filename, require.main?.filename ?? process.argv[1]];
  return from.flatMap((file) => (file ? folder(file) : []));
}

function folder(file: string): string[] {
  try {
    return [dirname(createRequire(file).resolve('onnxruntime-node/package.json'))];
  } catch {
    return [];
  }
}

/** Its libraries lie in `bin/napi-vN/PLATFORM/ARCH`. */
function libraries(folder: string): string[] {
  const bin = join(folder, 'bin');
  const versions = existsSync(bin) ? entries(bin) : [];
  return versions.map((version) => join(bin, version, process.platform, process.arch)).filter(existsSync);
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
