/** A receiver in a process of its own: started by `killed.test.ts`, which kills it. */
import { DEFAULT_LIMITS, createReceiver } from '../../../engine/transport/receiver.js';
import { KEY, PATH } from './keys.js';

process.once('message', (settings: { spoolFile: string; cert: string; key: string }) => {
  const { spoolFile, cert, key } = settings;
  const receiver = createReceiver(
    { path: PATH, senders: [{ id: KEY.id, keys: [KEY] }], spoolFile, limits: DEFAULT_LIMITS },
    () => Promise.resolve({ untaken: true }),
  );
  void receiver.listen({ host: '127.0.0.1', port: 0, tls: { cert, key } }).then(({ port }) => process.send?.(port));
});
