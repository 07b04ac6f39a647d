/** What makes a read incomplete though every search ended well. */
import { DirectoryError } from '../model/errors.js';

/** Somebody else was bound at the end. */
export function identityChanged(): DirectoryError {
  return new DirectoryError('IDENTITY_CHANGED', {
    message:
      'Somebody else was bound at the end of the read than at its beginning, so it is not known what was visible. Nothing is removed. Look for a proxy or load balancer between this machine and the directory server.',
    status: 'identity changed',
  });
}
