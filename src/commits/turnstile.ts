import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import { messageOf } from '../base/errors.js';
import { temporaryFolder } from '../base/temporary.js';
import { onLines, turnRequestSchema, type TurnGrant } from '../protocol/turns.js';
import { TurnOrder, type Turn } from './turn-order.js';

/** Lets the runs of several processes measure in turn: each has a socket of its own, see `protocol/turns.ts`. */
export class Turnstile<Name extends string> {
  private readonly order: TurnOrder<Name>;
  private readonly sockets = new Map<Name, Socket>();
  private readonly servers: Server[] = [];

  private constructor(
    names: readonly Name[],
    private readonly folder: string,
  ) {
    this.order = new TurnOrder(names);
  }

  /**
   * Opens the sockets.
   *
   * @param names - of the runs, in the order in which they begin
   * @throws InputError when the folder for temporary files cannot be written
   */
  static async open<Name extends string>(names: readonly Name[]): Promise<Turnstile<Name>> {
    const turnstile = new Turnstile(names, await temporaryFolder('turns'));
    for (const name of names) await turnstile.listen(name);
    return turnstile;
  }

  /**
   * Where a run finds its turns: what `EDGEFLEX_TURNS` says in its environment.
   *
   * @param name - of the run
   */
  path(name: Name): string {
    // Windows has its pipes in a place of their own.
    return process.platform === 'win32'
      ? join('\\\\.\\pipe', this.folder.replaceAll(/[:\\/]/g, '-'), name)
      : join(this.folder, name);
  }

  /**
   * Goes on without a run: its process has ended, or never came.
   *
   * @param name - of the run
   */
  without(name: Name): void {
    this.grant(this.order.without(name));
  }

  /** Sends everybody away: runs that go on stop in good order. */
  async close(): Promise<void> {
    for (const server of this.servers) server.close();
    for (const socket of this.sockets.values()) socket.destroy();
    await rm(this.folder, { recursive: true, force: true });
  }

  private listen(name: Name): Promise<void> {
    const server = createServer((socket) => {
      this.sockets.set(name, socket);
      // One that breaks the protocol gets no more turns, and keeps nobody waiting.
      const end = (): void => {
        socket.destroy();
        this.without(name);
      };
      onLines(socket, (line) => {
        const request = turnRequestSchema.safeParse(parsed(line));
        if (request.success) this.grant(this.order.ask(name, request.data));
        else end();
      });
      socket.on('error', end).on('close', end);
    });
    this.servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        reject(new Error(`no socket for turns could be opened: ${messageOf(error)}`));
      });
      server.listen(this.path(name), resolve);
    });
  }

  private grant(turns: readonly Turn<Name>[]): void {
    for (const { who, host } of turns) {
      const grant: TurnGrant = { kind: 'go', host };
      this.sockets.get(who)?.write(`${JSON.stringify(grant)}\n`);
    }
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
