import { stringify } from 'yaml';
import { findKind } from '../device/registry.js';
import { defined } from '../base/defined.js';
import { optionsIn } from '../report/reference.js';
import { wrapped } from '../base/wrap.js';
import { COMMENT_WIDTH, comments, firstSentence } from './comments.js';
import type { StarterDevice } from './choices.js';

/**
 * A device profile to begin with: what it says, and below that everything else that it may say.
 *
 * @param name - of the profile
 * @param device - how it is reached
 */
export function deviceFile(name: string, device: StarterDevice): string {
  const kind = defined(findKind(device.kind), `the kind of device ${device.kind}`);
  const said = { name, kind: device.kind, description: device.description, ...device.fields };
  const more = optionsIn(kind.profile).filter((field) => !field.name.includes('.') && !(field.name in said));
  return [
    comments([
      ...wrapped(`A device profile. ${kind.description}`, COMMENT_WIDTH),
      '',
      `  edgeflex devices check ${name}`,
      '      is it ready, and how to fix what is not',
      `  edgeflex devices kinds ${device.kind}`,
      '      every field that such a profile may have',
    ]),
    stringify(said, { lineWidth: 0 }),
    `\n${comments(['What else it may say; the values that are shown are the defaults.', ''])}`,
    ...more.map(({ name: field, type, fallback, description }) =>
      comments([
        `${field}: ${fallback ?? ''}`.trimEnd(),
        ...wrapped(`    ${type.replaceAll('`', '')}. ${firstSentence(description)}`, COMMENT_WIDTH, '    '),
      ]),
    ),
  ].join('');
}
