// A script as users write it, for the compiler: never run.

import remrembg = require('remrembg');
import { rembg, remove } from 'remrembg';

async function main(): Promise<void> {
  const png: Buffer = await remove('photo.jpg', { format: 'png' });
  const again: Buffer = await new remrembg.Remover().remove(png);
  const { outputImagePath, cleanup } = await rembg({ apiKey: 'any', inputImage: again });
  await remrembg.default({ apiKey: 'any', inputImage: outputImagePath });
  await remrembg.rembg({ apiKey: 'any', inputImage: outputImagePath, options: { w: 1, h: 1 } });
  await cleanup();
  // @ts-expect-error an option of no such name
  await remove('photo.jpg', { width: 800 });
}

main().catch((error: unknown) => {
  if (error instanceof remrembg.RembgError) console.log(error.status);
});
