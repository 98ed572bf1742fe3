/* Three backtests as plainly as C allows: the yardstick for the compiled backtest and its peers.
   Doubles for money, no reasons kept: less than Vela does, so that the comparison flatters nobody but C.
   Each returns the number of entries and writes where they were and the equity at each close. */
#include <math.h>
#include <stdint.h>

/* The crossover of two averages, all in. */
int64_t crossover(const double *open, const double *close, int64_t n, int fast, int slow, double fee, double slippage,
                  double capital, double *equity, int64_t *entered) {
    double cash = capital, held = 0.0, fast_sum = 0.0, slow_sum = 0.0, f0 = 0.0, s0 = 0.0;
    int64_t entries = 0;
    int wish = 0;
    for (int64_t t = 0; t < n; t++) {
        if (wish > 0 && held == 0.0) {
            double price = open[t] * (1.0 + slippage);
            held = cash / (price * (1.0 + fee));
            cash = 0.0;
            entered[entries++] = t;
        } else if (wish < 0 && held > 0.0) {
            cash = held * open[t] * (1.0 - slippage) * (1.0 - fee);
            held = 0.0;
        }
        wish = 0;
        fast_sum += close[t];
        slow_sum += close[t];
        if (t >= fast) fast_sum -= close[t - fast];
        if (t >= slow) slow_sum -= close[t - slow];
        double f = fast_sum / fast, s = slow_sum / slow;
        if (t >= slow) {
            if (f > s && f0 <= s0) wish = 1;
            else if (f < s && f0 >= s0) wish = -1;
        }
        f0 = f;
        s0 = s;
        equity[t] = cash + held * close[t];
    }
    return entries;
}

/* Wilder's relative strength index below and above its levels, with stop and target, for a fixed stake. */
int64_t reversion(const double *open, const double *high, const double *low, const double *close, int64_t n, int period,
                  double oversold, double overbought, double stop_loss, double take_profit, double stake, double capital,
                  double *equity, int64_t *entered) {
    double cash = capital, held = 0.0, stop = 0.0, target = 0.0, gain = 0.0, loss = 0.0;
    int64_t entries = 0;
    int wish = 0;
    for (int64_t t = 0; t < n; t++) {
        if (wish > 0 && held == 0.0 && cash >= stake) {
            held = stake / open[t];
            cash -= stake;
            stop = open[t] * (1.0 - stop_loss);
            target = open[t] * (1.0 + take_profit);
            entered[entries++] = t;
        } else if (wish < 0 && held > 0.0) {
            cash += held * open[t];
            held = 0.0;
        }
        if (held > 0.0 && (low[t] <= stop || high[t] >= target)) {
            cash += held * (low[t] <= stop ? fmin(open[t], stop) : fmax(open[t], target));
            held = 0.0;
        }
        wish = 0;
        if (t > 0) {
            double change = close[t] - close[t - 1], keep = t <= period ? 1.0 : (period - 1.0) / period;
            gain = gain * keep + fmax(change, 0.0) / period;
            loss = loss * keep + fmax(-change, 0.0) / period;
        }
        if (t >= period) {
            double index = 100.0 * gain / (gain + loss);
            wish = index < oversold ? 1 : index > overbought ? -1 : 0;
        }
        equity[t] = cash + held * close[t];
    }
    return entries;
}

/* The crossover for many symbols on one account, a fixed stake each while the money lasts; columns symbol by symbol. */
int64_t shared(const double *open, const double *close, int64_t n, int symbols, int fast, int slow, double stake,
               double capital, double *equity, int64_t *entered) {
    double cash = capital, held[symbols], fast_sum[symbols], slow_sum[symbols], f0[symbols], s0[symbols];
    int64_t entries = 0;
    int wish[symbols];
    for (int i = 0; i < symbols; i++) held[i] = fast_sum[i] = slow_sum[i] = f0[i] = s0[i] = wish[i] = 0;
    for (int64_t t = 0; t < n; t++) {
        for (int i = 0; i < symbols; i++) {
            if (wish[i] < 0 && held[i] > 0.0) {
                cash += held[i] * open[i * n + t];
                held[i] = 0.0;
            }
        }
        equity[t] = 0.0;
        for (int i = 0; i < symbols; i++) {
            const double *price = close + i * n;
            if (wish[i] > 0 && held[i] == 0.0 && cash >= stake) {
                held[i] = stake / open[i * n + t];
                cash -= stake;
                entered[entries++] = i * n + t;
            }
            wish[i] = 0;
            fast_sum[i] += price[t];
            slow_sum[i] += price[t];
            if (t >= fast) fast_sum[i] -= price[t - fast];
            if (t >= slow) slow_sum[i] -= price[t - slow];
            double f = fast_sum[i] / fast, s = slow_sum[i] / slow;
            if (t >= slow) {
                if (f > s && f0[i] <= s0[i]) wish[i] = 1;
                else if (f < s && f0[i] >= s0[i]) wish[i] = -1;
            }
            f0[i] = f;
            s0[i] = s;
            equity[t] += held[i] * price[t];
        }
        equity[t] += cash;
    }
    return entries;
}
