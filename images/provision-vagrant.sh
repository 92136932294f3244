#!/bin/bash
# Provisioning of the virtual node: the ordinary images/install.sh, then the demonstration as a service, because a
# virtual machine has no printer, terminal or city of its own. What is said after the name of this script
# goes to install.sh (a test brings its own wheelhouse, for a machine without a network).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ ! -d /vagrant/images ] || here=/vagrant/images
units=/etc/systemd/system
data=/var/lib/plaza
ports=(8380 8311 8399)

"$here/install.sh" --no-start "$@"

# The node's door lets Vagrant in with Vagrant's own key, and the provider's forwarded ports; nothing else.
install -d -m 0750 -o root -g plaza "$data/ssh"
for keys in /home/vagrant/.ssh/authorized_keys /root/.ssh/authorized_keys; do
    [ ! -s "$keys" ] || install -m 0640 -o root -g plaza "$keys" "$data/ssh/authorized_keys"
done
open="/opt/plaza/venv/bin/plaza firewall open --data $data"
for port in "${ports[@]}"; do open+=" --other-tcp $((port + 10000))"; done
mkdir -p "$units/plaza-firewall-open.service.d"
printf '[Service]\nExecStart=\nExecStart=%s\n' "$open" > "$units/plaza-firewall-open.service.d/vagrant.conf"

install -m 0644 "$here/plaza-demo.service" "$units/plaza-demo.service"
for port in "${ports[@]}"; do
    for kind in socket service; do
        sed "s/@GUEST@/$((port + 10000))/; s/@PORT@/$port/" "$here/plaza-forward.$kind" \
            > "$units/plaza-forward-$port.$kind"
    done
done
systemctl daemon-reload
systemctl enable --now plaza-firewall.service plaza-firewall-open.service
for port in "${ports[@]}"; do systemctl enable --now "plaza-forward-$port.socket"; done
systemctl enable --now plaza-demo.service
