import { build } from 'esbuild';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../../../src/base/paths.js';
import { pageSource } from '../../../src/device/browser/launch.js';
import { PageServer } from '../../../src/device/browser/server.js';
import { browserProfile } from '../../device/support/browsers.js';

/** A model that is run in a page. */
export interface PageModel {
  /** Its file. */
  readonly path: string;
  /** The file of its input, float32. */
  readonly pixels: string;
  /** The input's shape. */
  readonly dims: readonly number[];
}

const foundSchema = z.union([z.array(z.number()), z.string()]);

/**
 * Runs models in one page of a browser.
 *
 * @param provider - WebAssembly, or WebGPU that the processor plays
 * @param models - by name
 * @param scratch - a folder for the page's program
 * @returns the logits by name, or what the runtime said instead
 */
export async function logitsInPage(
  provider: 'wasm' | 'webgpu',
  models: ReadonlyMap<string, PageModel>,
  scratch: string,
): Promise<Readonly<Record<string, readonly number[] | string>>> {
  const program = join(scratch, 'page.js');
  await build({
    entryPoints: [join(packageRoot(), 'test', 'vit', 'support', 'page-program.js')],
    ...{ bundle: true, format: 'esm', outfile: program, logLevel: 'warning' },
    conditions: ['onnxruntime-web-use-extern-wasm'],
  });
  const server = await PageServer.start();
  const adapter = provider === 'webgpu' ? 'swiftshader' : 'default';
  const source = await pageSource(browserProfile({ provider, adapter }));
  try {
    const fresh = await source.open();
    const files = new Map([['agent/main.js', program]]);
    for (const [name, { path, pixels }] of models) files.set(name, path).set(`${name}.pixels`, pixels);
    const { url } = server.admit({
      ...{
        request: { kind: 'identify' },
        files,
        outputs: new Map(),
        processes: () => Promise.resolve({ means: null, memory: {} }),
      },
    });
    try {
      await fresh.page.goto(url);
      await fresh.page.waitForFunction('globalThis.start !== undefined');
      await fresh.page.evaluate(`start(${JSON.stringify(provider)})`);
      const found: Record<string, readonly number[] | string> = {};
      for (const [name, { dims }] of models) {
        const asked = `logitsOf(${JSON.stringify(name)}, ${JSON.stringify(dims)})`;
        found[name] = foundSchema.parse(await fresh.page.evaluate(asked));
      }
      return found;
    } finally {
      await fresh.close();
    }
  } finally {
    await source.close();
    await server.close();
  }
}
