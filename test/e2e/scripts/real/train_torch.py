"""A small network in PyTorch, on the processor."""
import torch

torch.manual_seed(0)
X = torch.randn(256, 8)
y = (X.sum(dim=1) > 0).float().unsqueeze(1)
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
loss_of = torch.nn.BCEWithLogitsLoss()
for epoch in range(20):
    optimizer.zero_grad()
    loss = loss_of(model(X), y)
    loss.backward()
    optimizer.step()
    print({"loss": loss.item(), "epoch": epoch} if False else '{"loss": %r, "epoch": %d}' % (loss.item(), epoch))
torch.save(model.state_dict(), "model.pt")
