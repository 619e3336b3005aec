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
      'Path of the browser; default: `PUPPETEER_EXECUTABLE_PATH`, then the first one that is installed.',
    ),
  channel: z
    .enum(['chromium', 'chrome', 'chrome-beta', 'chrome-dev', 'chrome-canary', 'edge'])
    .optional()
    .describe('Which installed browser to use.'),
  headless: z.boolean().default(true).describe('Whether to run it without a window.'),
  flags: z
    .array(z.string().startsWith('--'))
    .default([])
    .describe('Additional command-line flags; all flags are recorded with the run.'),
  adapter: z
    .enum(['default', 'high-performance', 'low-power', 'swiftshader'])
    .default('default')
    .describe(
      "Which WebGPU adapter: the browser's choice, the high-performance or low-power one, or SwiftShader (software).",
    ),
  connect: z
    .string()
    .regex(/^(ws|wss|http):\/\/./, 'a ws://, wss:// or http:// address')
    .optional()
    .describe(
      'Debugging address of a browser that is already running: `ws://…` or `http://…`. It is left running.',
    ),
  port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe(
      'Port on which to serve the page, for a browser that reaches it through a tunnel; default: any free port.',
    ),
  timeout: z
    .number()
    .positive()
    .optional()
    .describe('Seconds that a whole measurement may take; default: as long as its agent keeps reporting.')
    .meta({ unit: 's' }),
  ...commonFields,
});

/** The profile of a browser. */
export type BrowserProfile = z.infer<typeof browserSchema>;
