import { InputError, messageOf } from '../base/errors.js';

/** The libraries of the server. */
export type Libraries = Awaited<ReturnType<typeof loadLibraries>>;

/**
 * Loads what serves the dashboard: no other command waits for it, and none needs it.
 *
 * @throws InputError when one of the packages is not installed
 */
export async function loadLibraries() {
  try {
    const [fastify, zod, swagger, rateLimit, helmet, files] = await Promise.all([
      import('fastify'),
      import('fastify-type-provider-zod'),
      import('@fastify/swagger'),
      import('@fastify/rate-limit'),
      import('@fastify/helmet'),
      import('@fastify/static'),
    ]);
    return {
      ...{ fastify: fastify.fastify, zod, swagger: swagger.default, rateLimit: rateLimit.default },
      ...{ helmet: helmet.default, files: files.default },
    };
  } catch (error) {
    throw new InputError({
      source: 'the dashboard',
      found: `no usable library (${messageOf(error).split('\n', 1)[0] ?? ''})`,
      expected: 'fastify and its parts, which npm installs unless optional parts are left out',
      hint: 'Install them with "npm install --include=optional". Every other command works without them.',
    });
  }
}
