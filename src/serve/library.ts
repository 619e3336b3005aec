import { optional } from '../base/optional.js';

const PART = {
  packages: [
    ...['fastify', 'fastify-type-provider-zod', '@fastify/swagger', '@fastify/rate-limit'],
    ...['@fastify/helmet', '@fastify/static'],
  ],
  ...{ source: 'the dashboard', what: 'what serves it' },
  without: 'Every other command works without them.',
};

/** The libraries of the server. */
export type Libraries = Awaited<ReturnType<typeof loadLibraries>>;

/**
 * Loads what serves the dashboard: no other command waits for it, and none needs it.
 *
 * @throws InputError when one of the packages is not installed
 */
export async function loadLibraries() {
  const [fastify, zod, swagger, rateLimit, helmet, files] = await optional(PART, () =>
    Promise.all([
      import('fastify'),
      import('fastify-type-provider-zod'),
      import('@fastify/swagger'),
      import('@fastify/rate-limit'),
      import('@fastify/helmet'),
      import('@fastify/static'),
    ]),
  );
  return {
    ...{ fastify: fastify.fastify, zod, swagger: swagger.default, rateLimit: rateLimit.default },
    ...{ helmet: helmet.default, files: files.default },
  };
}
