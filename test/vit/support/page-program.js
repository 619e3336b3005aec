/* global document, fetch, navigator */
import { hideNarrowSubgroups } from '../../../src/agent/browser/subgroups.ts';
import { defaultSessionOptions } from '../../../src/runtime/engine.ts';
import { webEngine } from '../../../src/runtime/web.ts';

if ('gpu' in navigator) hideNarrowSubgroups();

const asked = async (file) => (await fetch(file)).arrayBuffer();

/**
 * Starts the engine that the agent has in a page.
 *
 * @param {'wasm' | 'webgpu'} provider
 */
globalThis.start = async (provider) => {
  const assets = new URL('runtime/', document.baseURI).href;
  const engine = await webEngine({ provider, assets, threads: 1 });

  /**
   * Runs a model once.
   *
   * @param {string} file - its name as the server knows it; its input lies there as `<name>.pixels`
   * @param {number[]} dims - of its input
   * @returns the logits, or what the runtime said instead
   */
  globalThis.logitsOf = async (file, dims) => {
    try {
      const model = new Uint8Array(await asked(file));
      const pixels = new Float32Array(await asked(`${file}.pixels`));
      const session = await engine.open(model, { ...defaultSessionOptions, threads: 1 });
      const { logits } = await session.run({ pixel_values: engine.tensor('float32', pixels, dims) });
      await session.close();
      return Array.from(logits.data);
    } catch (error) {
      return String(error);
    }
  };
};
