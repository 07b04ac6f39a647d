/** How a connection that stood can end. */
import { DirectoryError } from '../model/errors.js';
import type { Result } from './result.js';

/** The connection ended in the middle. */
export function connectionLost(cause: unknown): DirectoryError {
  return new DirectoryError('CONNECTION_LOST', {
    message:
      "The connection to the directory server was closed before the read was finished. Run again; if it happens each time, look at the server's log and at idle limits of firewalls between.",
    status: 'connection lost',
    cause,
    transient: true,
  });
}

/** The connection ended before anything had been said. */
export function closedUnanswered(cause: unknown): DirectoryError {
  return new DirectoryError('CLOSED_UNANSWERED', {
    message:
      'The directory server closed the connection without a single answer. Most often the port speaks TLS (636, Global Catalog 3269): then set "encryption" to LDAPS. Otherwise it refuses connections from this machine.',
    status: 'closed unanswered',
    cause,
    transient: true,
  });
}

/** Nothing came for longer than the idle limit. */
export function serverSilent(idle: number): DirectoryError {
  return new DirectoryError('SERVER_SILENT', {
    message: `The directory server sent nothing for ${idle} ms although an answer was awaited. Look at the server's load, or raise the idle time limit ("timeouts").`,
    status: 'server is silent',
    params: { milliseconds: idle },
    transient: true,
  });
}

/** The server gave notice that it disconnects. */
export function disconnected(result: Result): DirectoryError {
  return new DirectoryError('DISCONNECTED_BY_SERVER', {
    message: `The directory server announced that it ends the connection (code ${result.code}). It may be shutting down, or refuse the load or the encryption. Run again later, or look at its log.`,
    status: 'server disconnected',
    params: { code: result.code },
    cause: new Error(result.diagnostic),
    transient: true,
  });
}
