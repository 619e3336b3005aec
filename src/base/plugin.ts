import { z } from 'zod';

/** A plug-in, for the record: which code took part. */
export const pluginRecordSchema = z.object({
  /** Of its package, or the module as it was named. */
  name: z.string(),
  /** Of its package; null for a module on its own. */
  version: z.string().nullable(),
  /** SHA-256 over its files. */
  digest: z.string(),
});

export type PluginRecord = z.infer<typeof pluginRecordSchema>;
