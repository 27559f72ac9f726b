# A linear model of the cars that R comes with.
set.seed(7)
model <- lm(mpg ~ wt + hp, data = mtcars)
print(summary(model))
cat(sprintf("rmse: %.4f\n", sqrt(mean(residuals(model)^2))))
cat(sprintf("r2 = %.4f\n", summary(model)$r.squared))
saveRDS(model, "model.rds")
