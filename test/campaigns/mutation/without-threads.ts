/** Loaded before a suite: its accounts live in this thread. */
import { withoutThreads } from '../support/here.js';

withoutThreads();
