import { nodeHost } from './node-host.js';
import { serve } from './serve.js';

serve(nodeHost);
