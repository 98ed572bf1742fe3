/* The crossover of two averages, all in, as plainly as C allows: the yardstick for the compiled backtest.
   Doubles for money, no stop, no reasons kept: less than Vela does, so that the comparison flatters nobody but C. */
#include <stdint.h>

int64_t crossover(const double *open, const double *close, int64_t n, int fast, int slow, double fee, double slippage,
                  double capital, double *equity) {
    double cash = capital, held = 0.0, fast_sum = 0.0, slow_sum = 0.0, f0 = 0.0, s0 = 0.0;
    int64_t entries = 0;
    int wish = 0;
    for (int64_t t = 0; t < n; t++) {
        if (wish > 0 && held == 0.0) {
            double price = open[t] * (1.0 + slippage);
            held = cash / (price * (1.0 + fee));
            cash = 0.0;
            entries++;
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
