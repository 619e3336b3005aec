import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A plug-in with one kind of device: `x-rested`, this machine, which rests before each measurement. On a board without a fan the heat of
 * one measurement slows down the next.
 *
 * @param {import('edgeflex').PluginApi} edgeflex
 */
export default function restedPlugin({ defineDevice, registerDevice, openDevice, localProfile, z }) {
  registerDevice(
    defineDevice({
      kind: 'x-rested',
      description: 'This machine, resting before each measurement.',
      options: z.strictObject({
        seconds: z.number().positive().default(5).describe('How long it rests.'),
      }),
      async open(profile, { seconds }) {
        const device = await openDevice(localProfile({ threads: profile.threads ?? 1 }));
        return {
          ...device,
          profile,
          async measure(task, options) {
            await sleep(1000 * seconds, undefined, { signal: options.signal });
            await device.measure(task, options);
          },
          close: () => device.close(),
        };
      },
    }),
  );
}
