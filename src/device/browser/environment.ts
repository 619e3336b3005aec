import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readFileSync } from 'node:fs';
import type { Environment } from '../../protocol/environment.js';
import type { PageIdentity } from '../../protocol/page.js';
import { localEnvironment } from '../local/environment.js';

/** What a browser is, as itself and its page tell. */
export interface BrowserFacts {
  readonly product: string;
  readonly flags: readonly string[];
  readonly identity: PageIdentity;
  /** Whether it runs on this machine. */
  readonly here: boolean;
}

/**
 * Describes a browser for the record of a measurement: this machine and the browser, or what a browser elsewhere tells of its
 * machine.
 *
 * @param facts - undefined when it could not be started
 */
export async function browserEnvironment(facts: BrowserFacts | undefined): Promise<Environment> {
  const machine = await localEnvironment();
  const { edgeflex = '' } = machine.versions;
  const versions = { 'onnxruntime-web': runtimeVersion(), edgeflex };
  if (facts === undefined) return { ...machine, versions };
  const { product, flags, identity, here } = facts;
  const { userAgent, gpu } = identity;
  const described = { browser: { product, userAgent, flags: [...flags] }, ...(gpu ? { gpu } : {}) };
  if (here) return { ...machine, versions, ...described };
  const unknown = 'not told by the browser';
  return {
    cpu: {
      model: unknown,
      features: [],
      physicalCores: identity.processors,
      logicalCores: identity.processors,
      governor: null,
      maxFrequency: null,
    },
    memoryBytes: identity.memoryBytes || null,
    virtual: false,
    os: { platform: unknown, distribution: unknown, release: unknown, kernel: unknown, arch: unknown },
    node: machine.node,
    versions,
    git: machine.git,
    ...described,
  };
}

function runtimeVersion(): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-web');
  const manifest: unknown = JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8'));
  return (manifest as { version: string }).version;
}
