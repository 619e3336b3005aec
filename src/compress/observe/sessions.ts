import { serializeModel } from '../../onnx/file.js';
import type { OnnxModel } from '../../onnx/model.js';
import { defaultSessionOptions, type Session } from '../../runtime/engine.js';
import type { StageContext } from '../context.js';

/** Sessions in which images go through the parts of a model. */
export interface PartSessions {
  /**
   * Uses the session of a part.
   *
   * @param part - tells it apart from the model's others
   * @param graph - the part, the same each time
   * @param use - what to do with the session; it is not to be kept
   */
  within<T>(part: string, graph: OnnxModel, use: (session: Session) => Promise<T>): Promise<T>;
}

/** Sessions that stay open until they are closed. */
export interface KeptSessions extends PartSessions {
  close(): Promise<void>;
}

type Runtime = Pick<StageContext, 'engine' | 'threads'>;

/**
 * Sessions that are opened for each use: of the model one part at a time is in memory, however large it is.
 *
 * @param context - runtime and threads
 */
export function openedEachTime(context: Runtime): PartSessions {
  return {
    async within(_, graph, use) {
      const session = await openPart(context, await serializeModel(graph), true);
      try {
        return await use(session);
      } finally {
        await session.close();
      }
    },
  };
}

/** Constants of the parts whose sessions are kept; the runtime takes up to twice as much for them. */
export const KEPT_BYTES = 512 * 1024 ** 2;

/**
 * Sessions of one model that serve further images: opening them takes as long as a batch of images. Of a large model the first parts stay
 * open, the others are opened each time.
 *
 * @param context - runtime and threads
 * @param limit - bytes of the parts that may stay open
 */
export function keptOpen(context: Runtime, limit = KEPT_BYTES): KeptSessions {
  const open = new Map<string, Session>();
  const others = openedEachTime(context);
  let bytes = 0;
  return {
    async within(part, graph, use) {
      const known = open.get(part);
      if (known !== undefined) return use(known);
      if (bytes >= limit) return others.within(part, graph, use);
      const model = await serializeModel(graph);
      bytes += model.byteLength;
      // They take turns: pools that wait actively would keep each other from the cores.
      const session = await openPart(context, model, false);
      open.set(part, session);
      return use(session);
    },
    async close() {
      for (const session of open.values()) await session.close();
      open.clear();
    },
  };
}

/**
 * Opens a part of a model.
 *
 * @param context - runtime and threads
 * @param model - the part
 * @param spinning - whether its threads may wait actively
 */
export function openPart(
  { engine, threads }: Runtime,
  model: Uint8Array,
  spinning: boolean,
): Promise<Session> {
  return engine.open(model, {
    ...defaultSessionOptions,
    ...{ threads, spinning },
    // Blocks that are INT8 already run here: what the device computes, and not what this processor saturates at.
    x64QuantPrecision: true,
  });
}
