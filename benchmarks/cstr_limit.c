/* The limit that the generated kernel is held against: the exothermic stirred tank, ten Runge-Kutta sub-steps a plant-step,
   structure of arrays, one parameter set a plant as in the kernel. gcc -Ofast -march=native -shared -fPIC ... -lmvec -lm */
#include <math.h>

#define A __restrict
enum { Q, V, RHO, CP, DH, ER, K0, UA, PARAMETERS };

static inline __attribute__((always_inline)) void slope(double c, double T, double Tc, double Tf, double cf,
    double q, double v, double rho, double cp, double dH, double er, double k0, double ua, double *dc, double *dT) {
  double r = k0 * exp(-er / T) * c, heat = rho * cp;
  *dc = q / v * (cf - c) - r;
  *dT = q / v * (Tf - T) - dH * r / heat + ua * (Tc - T) / (heat * v);
}

void advance(double *A x0, double *A x1, const double *A Tc, const double *A Tf, const double *A cf, const double *A q,
    const double *A v, const double *A rho, const double *A cp, const double *A dH, const double *A er, const double *A k0,
    const double *A ua, int n, int steps, double h) {
  for (int s = 0; s < steps; s++) {
#pragma GCC ivdep
    for (int e = 0; e < n; e++) {
      double c = x0[e], T = x1[e], a, b, a2, b2, a3, b3, a4, b4;
#define SLOPE(C, TT, DC, DT) slope(C, TT, Tc[e], Tf[e], cf[e], q[e], v[e], rho[e], cp[e], dH[e], er[e], k0[e], ua[e], DC, DT)
      SLOPE(c, T, &a, &b);
      SLOPE(c + .5 * h * a, T + .5 * h * b, &a2, &b2);
      SLOPE(c + .5 * h * a2, T + .5 * h * b2, &a3, &b3);
      SLOPE(c + h * a3, T + h * b3, &a4, &b4);
      x0[e] = c + h / 6 * (a + 2 * a2 + 2 * a3 + a4);
      x1[e] = T + h / 6 * (b + 2 * b2 + 2 * b3 + b4);
    }
  }
}

/* The same with the nominal parameters baked in: what a hand-written single-plant simulator would reach. */
void advance_baked(double *A x0, double *A x1, const double *A Tc, const double *A Tf, const double *A cf, int n, int steps,
    double h) {
  for (int s = 0; s < steps; s++) {
#pragma GCC ivdep
    for (int e = 0; e < n; e++) {
      double c = x0[e], T = x1[e], a, b, a2, b2, a3, b3, a4, b4;
#define BAKED(C, TT, DC, DT) slope(C, TT, Tc[e], Tf[e], cf[e], 100, 100, 1000, .239, -5e4, 8750, 7.2e10, 5e4, DC, DT)
      BAKED(c, T, &a, &b);
      BAKED(c + .5 * h * a, T + .5 * h * b, &a2, &b2);
      BAKED(c + .5 * h * a2, T + .5 * h * b2, &a3, &b3);
      BAKED(c + h * a3, T + h * b3, &a4, &b4);
      x0[e] = c + h / 6 * (a + 2 * a2 + 2 * a3 + a4);
      x1[e] = T + h / 6 * (b + 2 * b2 + 2 * b3 + b4);
    }
  }
}
