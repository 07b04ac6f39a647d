/**
 * Loaded before every suite: property tests draw from one seed, so that a run of the tests means the same everywhere and a
 * failure can be looked at again. `SEED=n npm test` draws from another; campaigns vary theirs.
 */
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['SEED'] ?? 20_261_123) });
