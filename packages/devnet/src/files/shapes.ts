import { pythonJsonWriter } from '@ptn-api/positions';
import type { PythonShape as Shape } from '@ptn-api/positions';

const ELIMINATIONS: Shape = {
  items: {
    fields: {
      hotkey: 'plain',
      elimination_initiated_time_ms: 'plain',
      dd: 'float',
      reason: 'plain',
      price_info: { values: 'float' },
      return_info: { fields: { dd_stats: { values: 'float' }, returns: { values: 'float' } } },
    },
  },
};

const CHECKPOINTS: Shape = {
  items: {
    fields: {
      last_update_ms: 'plain',
      prev_portfolio_ret: 'float',
      accum_ms: 'plain',
      open_ms: 'plain',
      n_updates: 'plain',
      gain: 'float',
      loss: 'float',
      mdd: 'float',
    },
  },
};

const SCORES: Shape = { values: { fields: { value: 'float', rank: 'plain', percentile: 'float' } } };

const MINER_STATISTICS: Shape = {
  fields: {
    hotkey: 'plain',
    challengeperiod: { fields: { status: 'plain', start_time_ms: 'plain' } },
    scores: SCORES,
    augmented_scores: SCORES,
    daily_returns: { items: { fields: { date: 'plain', value: 'float' } } },
    volatility: { values: 'float' },
    drawdowns: { values: 'float' },
    plagiarism: 'float',
    engagement: {
      fields: {
        n_checkpoints: 'plain',
        n_positions: 'plain',
        position_duration: 'float',
        checkpoint_durations: 'float',
        minimum_days_boolean: 'plain',
        percentage_profitable: 'float',
      },
    },
    risk_profile: { fields: { risk_profile_score: 'float', risk_profile_penalty: 'float' } },
    penalties: { values: 'float' },
    weight: { fields: { value: 'float', rank: 'plain', percentile: 'float' } },
    checkpoints: CHECKPOINTS,
  },
};

const PLAGIARISM: Shape = {
  fields: {
    event_id: 'plain',
    time: 'plain',
    plagiarist: 'plain',
    overall_score: 'float',
    trade_pairs: {
      values: {
        fields: {
          plagiarist_trade_pair: 'plain',
          victims: {
            items: {
              fields: {
                victim: 'plain',
                victim_trade_pair: 'plain',
                events: { items: { fields: { type: 'plain', score: 'float' } } },
              },
            },
          },
        },
      },
    },
  },
};

/** The list of eliminations. */
export const writeEliminations = pythonJsonWriter(ELIMINATIONS);
/** A list of performance checkpoints. */
export const writeCheckpoints = pythonJsonWriter(CHECKPOINTS);
/** One element of the statistics' `data`. */
export const writeMinerStatistics = pythonJsonWriter(MINER_STATISTICS);
/** The plagiarism report of one miner. */
export const writePlagiarism = pythonJsonWriter(PLAGIARISM);
/** An object of text, flags and numbers that are ints when whole. */
export const writePlainMap = pythonJsonWriter({ values: 'plain' });
/** An object of such objects. */
export const writePlainMaps = pythonJsonWriter({ values: { values: 'plain' } });
