/* A clock that is wrong by EDGEFLEX_TEST_HOURS, for a process and those that it starts: `NODE_OPTIONS=--import=…`. */

import { env } from 'node:process';

const System = Date;
const shift = Number(env['EDGEFLEX_TEST_HOURS'] ?? 0) * 3_600_000;

globalThis.Date = class extends System {
  constructor(...given) {
    if (given.length === 0) super(System.now() + shift);
    else super(...given);
  }

  static now() {
    return System.now() + shift;
  }
};
