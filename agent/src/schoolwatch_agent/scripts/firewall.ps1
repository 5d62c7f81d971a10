# The three profiles as they work, group policy included, other makers' firewalls, and the service.
# Where the cmdlet is missing, the registry still answers (read by the probe itself).
$budget = 25
Read-Part 'profiles' 15 {
  Get-NetFirewallProfile -PolicyStore ActiveStore | Select-Object -Property Name,@{n='Enabled';e={ [int]$_.Enabled }}
}
Read-Part 'products' 15 {
  Get-CimInstance -Namespace 'root\SecurityCenter2' -ClassName FirewallProduct -OperationTimeoutSec 10 |
    Select-Object -Property displayName,productState
}
Read-Part 'service' 5 {
  Get-Service -Name mpssvc | Select-Object -Property @{n='running';e={ $_.Status -eq 'Running' }}
}
Write-Answer
