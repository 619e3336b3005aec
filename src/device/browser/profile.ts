import { z } from 'zod';

/** What a profile of a browser has besides a name, threads and session options. */
export const browserFields = {
  kind: z.literal('browser'),
  /** Where models run: on the GPU, or in WebAssembly with SIMD and threads. */
  provider: z.enum(['webgpu', 'wasm']),
  /** The browser's program; left out, it is looked for. */
  executable: z.string().min(1).optional(),
  /** Which of the installed browsers to look for. */
  channel: z.enum(['chromium', 'chrome', 'chrome-beta', 'chrome-dev', 'chrome-canary', 'edge']).optional(),
  /** Whether it runs without a window. */
  headless: z.boolean().default(true),
  /** Command-line flags besides ours. */
  flags: z.array(z.string().startsWith('--')).default([]),
  /** Which WebGPU adapter: the browser's choice, the fast or the frugal one, or SwiftShader, which is software. */
  adapter: z.enum(['default', 'high-performance', 'low-power', 'swiftshader']).default('default'),
  /** A browser that already runs, by its debugging address: `ws://…` or `http://…`. It is left running. */
  connect: z
    .string()
    .regex(/^(ws|wss|http):\/\/./, 'a ws://, wss:// or http:// address')
    .optional(),
  /** The port the page is served on, for a browser that reaches it through a tunnel; left out, any that is free. */
  port: z.number().int().min(1).max(65535).optional(),
  /** Seconds that a measurement may take as a whole; left out, as long as its agent says something. */
  timeout: z.number().positive().optional(),
};
