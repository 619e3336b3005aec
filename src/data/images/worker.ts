/** What a thread of the pool runs. */
export { doImageTask as default } from './tasks.js';
