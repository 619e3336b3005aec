import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The machine's side of the network of a campaign. */
const HOST = '10.213.0.1';

/** All of it. */
const RANGE = `${HOST}/16`;

const BRIDGE = 'edgeflex-bench';

/** A network in which every worker has a machine of its own: a namespace of Linux, whose cable can be pulled. */
export class Network {
  private constructor(private readonly names: readonly string[]) {}

  /** Address of the machine that the database runs on. */
  readonly host = HOST;

  /** Addresses of all machines. */
  readonly range = RANGE;

  /**
   * Makes namespaces, one for each worker, on a bridge.
   *
   * @param count - of workers
   * @returns undefined where namespaces cannot be made: without root, or not on Linux
   */
  static async make(count: number): Promise<Network | undefined> {
    const names = Array.from({ length: count }, (_, index) => `edgeflex-${index}`);
    const network = new Network(names);
    try {
      await network.remove();
      await ip('link', 'add', BRIDGE, 'type', 'bridge');
      await ip('addr', 'add', RANGE, 'dev', BRIDGE);
      await ip('link', 'set', BRIDGE, 'up');
      for (const [index, name] of names.entries()) {
        await ip('netns', 'add', name);
        await ip('link', 'add', cable(index), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
        await ip('link', 'set', cable(index), 'master', BRIDGE, 'up');
        await ip('-n', name, 'addr', 'add', `10.213.1.${index + 1}/16`, 'dev', 'eth0');
        await ip('-n', name, 'link', 'set', 'eth0', 'up');
        await ip('-n', name, 'link', 'set', 'lo', 'up');
      }
      return network;
    } catch {
      await network.remove();
      return undefined;
    }
  }

  /** What a command begins with that runs on a worker's machine. */
  on(index: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.names[index] ?? ''];
  }

  /** What is sent from or to a worker's machine from now on is lost, without a word. */
  async cut(index: number): Promise<void> {
    await ip('link', 'set', cable(index), 'nomaster');
  }

  /** The end of `cut`. */
  async mend(index: number): Promise<void> {
    await ip('link', 'set', cable(index), 'master', BRIDGE);
  }

  /** Removes all of it. */
  async remove(): Promise<void> {
    for (const name of this.names) await ip('netns', 'del', name).catch(() => undefined);
    await ip('link', 'del', BRIDGE).catch(() => undefined);
  }
}

function cable(index: number): string {
  return `edgeflex-v${index}`;
}

async function ip(...words: readonly string[]): Promise<void> {
  await promisify(execFile)('ip', words);
}
