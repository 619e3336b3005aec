import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { PostgresServer } from './server.js';

/** What a test file that asks for the server is told. */
export interface Answer {
  /** Address of its database "postgres", as the superuser. */
  readonly url?: string;
  /** Why it could not be started. */
  readonly error?: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** The socket at which test files ask for the PostgreSQL server. */
    postgres: string;
  }
}

/** All projects share one server, which the first test file that asks for it starts. */
interface Shared {
  readonly folder: string;
  readonly listener: Server;
  server: Promise<PostgresServer> | undefined;
  projects: number;
}

const shared = globalThis as unknown as { edgeflexPostgres: Promise<Shared> | undefined };

/** Starts a PostgreSQL server for all test files that need one, when the first of them asks; stops it after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.edgeflexPostgres ??= listen();
  const own = await shared.edgeflexPostgres;
  own.projects++;
  project.provide('postgres', socketIn(own.folder));
  return async () => {
    if (--own.projects > 0) return;
    shared.edgeflexPostgres = undefined;
    own.listener.close();
    const server = await own.server?.catch(() => undefined);
    await server?.stop();
    await rm(own.folder, { recursive: true, force: true });
  };
}

async function listen(): Promise<Shared> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeflex-asked-'));
  const own: Shared = { folder, listener: createServer(), server: undefined, projects: 0 };
  own.listener.on('connection', (socket) => {
    own.server ??= PostgresServer.start();
    own.server
      .then(
        (server): Answer => ({ url: server.url() }),
        (error: unknown): Answer => ({ error: String(error) }),
      )
      .then((answer) => socket.end(JSON.stringify(answer)))
      .catch(() => socket.destroy());
  });
  own.listener.listen(socketIn(folder));
  await once(own.listener, 'listening');
  own.listener.unref();
  return own;
}

function socketIn(folder: string): string {
  return join(folder, 'postgres');
}
