/** What a problem with a request is called, by its kind. */
const titles = {
  'bad-request': 'The request cannot be understood',
  'not-allowed': 'A token is needed',
  forbidden: 'This token does not allow that',
  'wrong-site': 'The request comes from another site',
  'not-found': 'There is no such thing',
  'no-queue': 'This store has no queue',
  'too-large': 'The request is too large',
  refused: 'The input is refused',
  'too-many': 'Too many requests',
  unavailable: 'The server cannot answer now',
  internal: 'A bug in edgeflex',
} as const;

/** Why a request is not answered. */
export type ProblemKind = keyof typeof titles;

/** The status that each kind is answered with. */
export const problemStatus: Readonly<Record<ProblemKind, number>> = {
  'bad-request': 400,
  'not-allowed': 401,
  forbidden: 403,
  'wrong-site': 403,
  'not-found': 404,
  'no-queue': 409,
  'too-large': 413,
  refused: 422,
  'too-many': 429,
  internal: 500,
  unavailable: 503,
};

/** What requests call that the command line has an option for. */
export const fieldOfOption: Readonly<Record<string, string>> = {
  ...{ '--batch': 'batch', '--max-latency': 'limits.latency', '--max-memory': 'limits.memory' },
  ...{ '--min-accuracy': 'limits.accuracy', '--min-throughput': 'limits.throughput' },
  ...{ '--max-energy': 'limits.energy', '--energy-price': 'ownership.energyPrice', '--exchange': 'exchange' },
  ...{ '--metric': 'metric', '--branch': 'branch', '--suite': 'suite', '--force': 'force' },
  ...{ '--device': 'devices', '--needs': 'needs' },
};

/** The title of a kind of problem. */
export function problemTitle(kind: ProblemKind): string {
  return titles[kind];
}

/** What is said of requests that are not answered. */
export const problemWords = {
  tokenMissing: 'Send a token as "Authorization: Bearer …". "edgeflex serve token add" makes one.',
  tokenUnknown: 'Nobody has this token: it was mistyped, or removed.',
  role: (needed: string, has: string): string => `That takes the role ${needed}; this is ${has}.`,
  noTokens:
    'While there are no tokens, the dashboard can only be read. "edgeflex serve token add" makes one.',
  host: (name: string): string =>
    `This server is not called ${name}. Start it with --known-as ${name} if it is reached by that name.`,
  site: 'Pages of other sites may not use this server.',
  noRun: (id: string): string => `There is no run ${id}.`,
  noCell: (run: string, cell: string): string => `Run ${run} has no cell ${cell}.`,
  noJob: (id: string): string => `There is no job or run ${id} in the queue.`,
  noDevice: (name: string): string => `No running worker has a device called ${name}.`,
  noRoute: (method: string, path: string): string => `There is no ${method} ${path}.`,
  noQueue:
    'Results in a folder have no queue: jobs and workers need a PostgreSQL database. Start the server with --db postgres://…',
  streams: 'All places for live updates are taken. Try again in a minute.',
  tooMany: (seconds: number): string => `Try again in ${seconds} s.`,
  tooLarge: 'The body is longer than this server takes.',
  internal: 'The server failed to answer. Its own output says why.',
} as const;
