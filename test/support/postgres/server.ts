import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { postgresPrograms } from './installed.js';

/** A process's user; none: that of this process. */
type Identity = { readonly uid: number; readonly gid: number } | Record<string, never>;

/** What a server has besides what all have. */
export interface ServerWishes {
  /** Another network than this machine's own that it is reached from: its address there, and all addresses of it. */
  readonly network?: { readonly host: string; readonly range: string } | undefined;
  /** Further settings, `name=value`. */
  readonly settings?: readonly string[];
}

/** Nothing of a test's server has to outlive a loss of power. */
const settings = [
  ...['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'],
  ...['shared_buffers=32MB', 'max_connections=100'],
  // Passwords are asked for, as on a server that is shared.
  'password_encryption=scram-sha-256',
];

/**
 * A PostgreSQL server in a temporary folder of its own, on a free port of this machine. It ends with the process that started it,
 * however that ends.
 */
export class PostgresServer {
  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly password: string,
    private readonly identity: Identity,
    private readonly wishes: ServerWishes,
    private process: ChildProcess,
  ) {}

  /**
   * Makes a server and starts it.
   *
   * @param wishes - what it has besides
   * @throws Error when PostgreSQL is not installed, or the server does not start: with what it said
   */
  static async start(wishes: ServerWishes = {}): Promise<PostgresServer> {
    const identity = serverIdentity();
    const folder = await mkdtemp(join(tmpdir(), 'edgeflex-postgres-'));
    try {
      if ('uid' in identity) await chown(folder, identity.uid, identity.gid);
      const password = randomBytes(12).toString('hex');
      const passwords = join(folder, 'password');
      await writeFile(passwords, password, { mode: 0o644 });
      await promisify(execFile)(
        program('initdb'),
        [
          ...['--pgdata', join(folder, 'data'), '--username', 'postgres', '--pwfile', passwords],
          ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C.UTF-8', '--no-sync'],
        ],
        { ...identity, cwd: folder },
      );
      if (wishes.network !== undefined)
        await appendFile(
          join(folder, 'data', 'pg_hba.conf'),
          `host all all ${wishes.network.range} scram-sha-256\n`,
        );
      const port = await freePort();
      const started = await launch(folder, port, identity, wishes);
      return new PostgresServer(folder, port, password, identity, wishes, started);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * Address of a database on the server, which need not exist yet.
   *
   * @param database - its name
   * @param user - who connects, with their password; left out, the superuser
   * @param host - that it is reached at; left out, this machine
   */
  url(database = 'postgres', user = `postgres:${this.password}`, host = '127.0.0.1'): string {
    return `postgres://${user}@${host}:${this.port}/${database}`;
  }

  /** The process whose children do the work. */
  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Kills the server as a loss of power would. What it stored is there when it is started again. */
  async kill(): Promise<void> {
    await end(this.process, 'SIGQUIT');
  }

  /** Starts it again after `kill`, on the same port. */
  async restart(): Promise<void> {
    this.process = await launch(this.folder, this.port, this.identity, this.wishes);
  }

  /** Stops the server and removes its folder. */
  async stop(): Promise<void> {
    await end(this.process, 'SIGQUIT');
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** PostgreSQL refuses to run as root; its package brings a user of its own. */
function serverIdentity(): Identity {
  if (process.geteuid?.() !== 0) return {};
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith('postgres:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined)
    throw new Error('there is no user "postgres", whom the server could run as in place of root');
  return { uid: Number(uid), gid: Number(gid) };
}

function program(name: string): string {
  if (postgresPrograms === undefined) throw new Error('PostgreSQL is not installed');
  return join(postgresPrograms, name);
}

/** @returns the server's process once it takes connections */
async function launch(
  folder: string,
  port: number,
  identity: Identity,
  { network, settings: further = [] }: ServerWishes,
): Promise<ChildProcess> {
  const addresses = `listen_addresses=127.0.0.1${network === undefined ? '' : `,${network.host}`}`;
  const words = [
    ...[program('postgres'), '-D', join(folder, 'data'), '-p', String(port), '-k', folder],
    ...[...settings, addresses, ...further].flatMap((setting) => ['-c', setting]),
  ];
  // The kernel ends it when this process is gone, also when that was killed.
  const dying = '/usr/bin/setpriv';
  const user =
    'uid' in identity ? [`--reuid=${identity.uid}`, `--regid=${identity.gid}`, '--clear-groups'] : [];
  const [file = '', ...args] = existsSync(dying) ? [dying, ...user, '--pdeathsig=QUIT', ...words] : words;
  const server = spawn(file, args, {
    ...(existsSync(dying) ? {} : identity),
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  for await (const line of createInterface(server.stderr)) {
    said.push(line);
    if (!line.includes('ready to accept connections')) continue;
    // A full pipe would stop it.
    server.stderr.resume();
    return server;
  }
  throw new Error(`PostgreSQL does not start:\n${said.join('\n')}`);
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  server.kill(signal);
  await exited;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
