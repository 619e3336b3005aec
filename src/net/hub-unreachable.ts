import { DeviceError } from '../base/errors.js';

/** The Hub cannot be reached. */
export class HubUnreachable extends DeviceError {}
