import { z } from 'zod';
import { commonFields } from '../kind.js';

/** A browser on this machine, or one that already runs elsewhere. */
export const browserSchema = z.strictObject({
  kind: z.literal('browser'),
  provider: z
    .enum(['webgpu', 'wasm'])
    .describe('Where models run: on the GPU, or in WebAssembly with SIMD and threads.'),
  executable: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The browser's program; left out, `PUPPETEER_EXECUTABLE_PATH`, then the first that is installed.",
    ),
  channel: z
    .enum(['chromium', 'chrome', 'chrome-beta', 'chrome-dev', 'chrome-canary', 'edge'])
    .optional()
    .describe('Which of the installed browsers to look for.'),
  headless: z.boolean().default(true).describe('Whether it runs without a window.'),
  flags: z
    .array(z.string().startsWith('--'))
    .default([])
    .describe('Command-line flags besides ours; all of them are recorded with the run.'),
  adapter: z
    .enum(['default', 'high-performance', 'low-power', 'swiftshader'])
    .default('default')
    .describe(
      "Which WebGPU adapter: the browser's choice, the fast or the frugal one, or SwiftShader, which is software.",
    ),
  connect: z
    .string()
    .regex(/^(ws|wss|http):\/\/./, 'a ws://, wss:// or http:// address')
    .optional()
    .describe(
      'A browser that already runs, by its debugging address: `ws://…` or `http://…`. It is left running.',
    ),
  port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe(
      'The port the page is served on, for a browser that reaches it through a tunnel; left out, any that is free.',
    ),
  timeout: z
    .number()
    .positive()
    .optional()
    .describe(
      'Seconds that a measurement may take as a whole; left out, as long as its agent says something.',
    ),
  ...commonFields,
});

/** The profile of a browser. */
export type BrowserProfile = z.infer<typeof browserSchema>;
