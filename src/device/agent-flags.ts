/**
 * What Node is started with for an agent: it asks for a garbage collection before the model is loaded, and its own garbage
 * between queries is collected early. With Node's default it grows by several MiB that would be taken for the model's.
 */
export const NODE_FLAGS = ['--expose-gc', '--max-semi-space-size=1'] as const;
