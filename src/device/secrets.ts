import { faultAt, type YamlFile } from '../base/schema.js';

/** Keys under which people would put what must not stand in a file. */
const SECRET_KEY = /pass(word|phrase|wd)?$|secret|token|private|identity|credential|^key$/i;

/**
 * Refuses a device profile that holds a secret, or wants one.
 *
 * @param file - the profile as it was read
 * @throws InputError that names the line and what to do instead
 */
export function refuseSecrets(file: YamlFile): void {
  const { value } = file;
  if (value === null || typeof value !== 'object') return;
  const key = Object.keys(value).find((each) => SECRET_KEY.test(each));
  if (key === undefined) return;
  throw faultAt(
    file,
    [key],
    'a place for a secret',
    'no passwords and no keys in a profile: ssh finds them, through ~/.ssh/config (IdentityFile) or its agent',
  );
}
