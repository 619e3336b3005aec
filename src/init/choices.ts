import type { ModelSource } from '../model/source.js';
import type { Declaration } from '../data/sets/declaration.js';

/** Images that a suite is about: known by a name, or where they lie. */
export type StarterImages =
  | { readonly kind: 'named'; readonly name: string }
  | {
      readonly kind: 'own';
      /** Absolute path of a folder of class folders or of a CSV list. */
      readonly path: string;
      readonly holdout: Declaration['holdout'];
    };

/** What a user decides before the first files are written. */
export interface StarterChoices {
  /** Of the suite; recipe and device begin with it. */
  readonly name: string;
  readonly model: ModelSource;
  readonly images: StarterImages;
  /** Path of the recipe to begin with. */
  readonly recipe: string;
  readonly device: StarterDevice;
}

/** A device that a profile can be begun for: its kind, and the fields that profiles must say. */
export interface StarterDevice {
  /** What it is called here, and what the profile's name ends with. */
  readonly name: string;
  readonly kind: string;
  readonly description: string;
  /** Fields of the profile besides name, kind and description. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Devices that need nothing to be known of them. */
export const starterDevices: readonly StarterDevice[] = [
  { name: 'cpu', kind: 'local', description: "This machine's CPU", fields: {} },
  {
    name: 'browser-wasm',
    kind: 'browser',
    description: 'WebAssembly in a browser on this machine',
    fields: { provider: 'wasm' },
  },
  {
    name: 'browser-webgpu',
    kind: 'browser',
    description: 'WebGPU in a browser on this machine',
    fields: { provider: 'webgpu' },
  },
];

/**
 * A board that is reached over SSH.
 *
 * @param host - its name, or an alias of `~/.ssh/config`
 */
export function starterBoard(host: string): StarterDevice {
  const plain = (host.split('@').pop() ?? host).replace(/[^a-z0-9.-]+/gi, '-').replace(/^[^a-z0-9]+/i, '');
  return {
    name: plain === '' ? 'board' : plain,
    kind: 'ssh',
    description: `The board ${host}, over SSH`,
    fields: { host },
  };
}
