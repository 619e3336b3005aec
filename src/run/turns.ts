import { connect, type Socket } from 'node:net';
import { messageOf, ResourceError } from '../base/errors.js';
import { onLines, turnGrantSchema, TURNS_VARIABLE, type TurnRequest } from '../protocol/turns.js';

/** Who else measures on the same machine, and when it is this run's turn. */
export interface Turns {
  /**
   * Gives back the turn that the run has on a host, and waits for its next one.
   *
   * @param host - as `Device.host` says
   * @param step - the lower of two runs' comes first
   * @throws ResourceError when nobody gives turns any more
   */
  take(host: string, step: number): Promise<void>;
  /** Needs a host no more. */
  leave(host: string): void;
  /** Needs none but these hosts from now on. */
  only(hosts: readonly string[]): void;
}

/** Of a run that has the machine to itself. */
export const alone: Turns = {
  take: () => Promise.resolve(),
  leave: () => undefined,
  only: () => undefined,
};

/**
 * The turns of this process's run: it shares the machine where `EDGEFLEX_TURNS` names a socket, and has the last turn that it takes until the
 * process ends, so that the reports it writes disturb nobody.
 *
 * @param environment - the process's
 * @param signal - ends waiting when it fires
 * @param stop - called when whoever gives the turns is gone: the other run may then measure at any time
 * @throws ResourceError when nobody gives turns at that socket
 */
export async function turnsOf(
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  stop: (reason: unknown) => void,
): Promise<Turns> {
  const path = environment[TURNS_VARIABLE];
  if (path === undefined || path === '') return alone;
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', (error) => {
      reject(new ResourceError(`${TURNS_VARIABLE}: nobody gives turns at ${path}: ${messageOf(error)}`));
    });
  });
  const turns = new SharedTurns(socket, stop);
  signal.addEventListener('abort', () => {
    turns.end(signal.reason);
  });
  return turns;
}

/** Who waits for a turn on a host. */
interface Waiting {
  readonly go: () => void;
  readonly fail: (reason: unknown) => void;
}

class SharedTurns implements Turns {
  private readonly waiting = new Map<string, Waiting>();
  private readonly over = new AbortController();

  constructor(
    private readonly socket: Socket,
    stop: (reason: unknown) => void,
  ) {
    onLines(socket, (line) => {
      const { host } = turnGrantSchema.parse(JSON.parse(line));
      this.waiting.get(host)?.go();
      this.forget(host);
    });
    socket
      .on('error', () => undefined)
      .on('close', () => {
        const reason = new ResourceError(
          'The run was stopped: whoever gave it turns on this machine is gone.',
        );
        this.end(reason);
        stop(reason);
      });
    // A process that has nothing else to do may end.
    socket.unref();
  }

  async take(host: string, step: number): Promise<void> {
    this.over.signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      // While it waits, nothing else may keep the process alive.
      this.socket.ref();
      this.waiting.set(host, { go: resolve, fail: reject });
      this.say({ kind: 'take', host, step });
    });
  }

  leave(host: string): void {
    this.say({ kind: 'leave', host });
  }

  only(hosts: readonly string[]): void {
    this.say({ kind: 'only', hosts: [...hosts] });
  }

  /** No turn is waited for any more. */
  end(reason: unknown): void {
    this.over.abort(reason);
    for (const [host, { fail }] of this.waiting) {
      fail(reason);
      this.forget(host);
    }
  }

  private forget(host: string): void {
    this.waiting.delete(host);
    if (this.waiting.size === 0) this.socket.unref();
  }

  private say(request: TurnRequest): void {
    if (!this.over.signal.aborted) this.socket.write(`${JSON.stringify(request)}\n`);
  }
}
