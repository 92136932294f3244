#!/bin/bash
# Provisioning of the virtual node: the ordinary install, then the demonstration as a service,
# because a virtual machine has no printer, terminal or city of its own.
set -euo pipefail
/vagrant/images/install.sh --no-start
install -m 0644 /vagrant/images/plaza-demo.service /etc/systemd/system/plaza-demo.service
for port in 8380 8311 8399; do
    install -m 0644 /vagrant/images/plaza-forward.socket "/etc/systemd/system/plaza-forward-$port.socket"
    install -m 0644 /vagrant/images/plaza-forward.service "/etc/systemd/system/plaza-forward-$port.service"
    sed -i "s/@GUEST@/$((port + 10000))/" "/etc/systemd/system/plaza-forward-$port.socket"
    sed -i "s/@PORT@/$port/" "/etc/systemd/system/plaza-forward-$port.service"
done
systemctl daemon-reload
systemctl enable --now plaza-forward-8380.socket plaza-forward-8311.socket plaza-forward-8399.socket
systemctl enable --now plaza-demo.service
