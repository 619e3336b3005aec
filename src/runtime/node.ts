import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-common';
import { z } from 'zod';
import { temporaryFolder } from '../base/temporary.js';
import { commonOptions } from './common-options.js';
import { inputTypeOf } from './input-type.js';
import { openingError } from './unsupported.js';
import type { Engine, KernelCall, ModelSource, ProfiledSession, Session, SessionOptions } from './engine.js';

/**
 * ONNX Runtime in this process, on the CPU.
 *
 * The library is loaded by this call and not before, so that a caller can look at the memory of the process first.
 * Its telemetry is switched off before it is loaded.
 */
export async function nodeEngine(): Promise<Engine> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  const { default: ort } = await import('onnxruntime-node');

  const create = (model: ModelSource, options: InferenceSession.SessionOptions): Promise<InferenceSession> =>
    // One call for each overload.
    (typeof model === 'string'
      ? ort.InferenceSession.create(model, options)
      : ort.InferenceSession.create(model, options)
    ).catch((error: unknown) => {
      throw openingError(error);
    });

  const open = async (model: ModelSource, options: SessionOptions): Promise<Session> =>
    sessionOf(await create(model, ortOptions(options)));

  return {
    info: {
      name: 'onnxruntime-node',
      version: ort.env.versions.node ?? ort.env.versions.common,
      provider: 'CPUExecutionProvider',
    },
    open,
    openOnProcessor: open,
    async openProfiled(model, options) {
      const directory = await temporaryFolder('profile');
      const session = await create(model, {
        ...ortOptions(options),
        enableProfiling: true,
        profileFilePrefix: join(directory, 'ort'),
      }).catch(async (error: unknown) => {
        await rm(directory, { recursive: true, force: true });
        throw error;
      });
      return profiled(session, directory);
    },
    tensor: (type, data, dims) => new ort.Tensor(type, data, dims),
  };
}

function ortOptions(options: SessionOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    ...commonOptions(options),
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    extra: {
      session: {
        intra_op: { allow_spinning: options.spinning ? '1' : '0' },
        ...(options.x64QuantPrecision && { x64quantprecision: '1' }),
      },
    },
  };
}

function sessionOf(session: InferenceSession): Session {
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    inputType: inputTypeOf(session),
    run: (inputs, outputs) => (outputs === undefined ? session.run(inputs) : session.run(inputs, outputs)),
    close: () => session.release(),
  };
}

const profileSchema = z.array(
  z.object({
    cat: z.string().optional(),
    name: z.string().optional(),
    dur: z.number().optional(),
    args: z.object({ op_name: z.string().optional(), provider: z.string().optional() }).optional(),
  }),
);

const KERNEL_SUFFIX = '_kernel_time';

function profiled(session: InferenceSession, directory: string): ProfiledSession {
  const plain = sessionOf(session);
  return {
    ...plain,
    async calls() {
      session.endProfiling();
      const file = (await readdir(directory))[0];
      if (file === undefined) throw new Error('the runtime wrote no profile');
      const events = profileSchema.parse(JSON.parse(await readFile(join(directory, file), 'utf8')));
      return events.flatMap((event): KernelCall[] => {
        if (event.cat !== 'Node' || !event.name?.endsWith(KERNEL_SUFFIX)) return [];
        return [
          {
            node: event.name.slice(0, -KERNEL_SUFFIX.length),
            opType: event.args?.op_name ?? 'unknown',
            provider: event.args?.provider ?? 'unknown',
            milliseconds: (event.dur ?? 0) / 1000,
          },
        ];
      });
    },
    async close() {
      await plain.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
